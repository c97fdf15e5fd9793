/**
 * Whether what is learned of late buys is right on average, where that can be told: in a simulated shop whose true
 * probabilities lie beside the log. Nearly all of its buys come later than the 30 minutes after which they are learned as
 * not bought, and nothing trends. The figure is Σ predicted / Σ true from day 9 on, without the chance that a count of buys has.
 */
import { join } from 'node:path'
import { readTruth, TRUTH_FILE } from '../src/simulate/truth.js'
import { predictionsOf } from './predictions.js'
import { millrace } from './program.js'
import type { Context, Measured } from './row.js'
import { withScratch } from './scratch.js'
import { overSeeds } from './statistics.js'

const CONFIG = 'examples/shop.yaml'
const DAY_MS = 86_400_000
/** By then the first buys have been learned, and their week is over. */
const FROM_DAY = 9
const LATE = ['tasks.1.given=click', 'tasks.1.label.window=7d', 'tasks.1.label.attribution=given']

export async function measureLateShop({ repeats, say }: Context): Promise<Measured> {
  const ratios: number[] = []
  for (let seed = 1; seed <= repeats; seed++) {
    say(`late buys of the simulated shop, seed ${seed}`)
    const ratio = await withScratch('late-shop', async folder => {
      await millrace(
        ...['replay', CONFIG, '--set', `source.log=${join(folder, 'log')}`, `source.simulate.seed=${seed}`],
        ...[`model.seed=${seed}`, ...LATE, 'evaluate.compare=[]', `outputs.path=${join(folder, 'out')}`],
        ...[`checkpoint.path=${join(folder, 'checkpoints')}`, `evaluate.report=${join(folder, 'report.html')}`],
      )
      return ratioOf(folder)
    })
    ratios.push(ratio)
  }
  const limit = { better: 'between', reach: [0.97, 1.03] } as const
  return { figures: [{ name: 'predicted ÷ true', format: 'score', value: overSeeds(ratios), limit }], details: ratios }
}

async function ratioOf(folder: string): Promise<number> {
  const truth = new Map<string, number>()
  for await (const { eventId, buy } of readTruth(join(folder, 'log', TRUTH_FILE))) truth.set(eventId, buy)
  let begin = Number.NaN
  let [predicted, happens] = [0, 0]
  for await (const { eventId, eventTime, values } of predictionsOf(join(folder, 'out/predictions'))) {
    const buy = truth.get(eventId)
    if (buy === undefined) continue
    if (Number.isNaN(begin)) begin = Number(eventTime)
    if (Number(eventTime) - begin < FROM_DAY * DAY_MS) continue
    predicted += values.buy ?? Number.NaN
    happens += buy
  }
  return predicted / happens
}

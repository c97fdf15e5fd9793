/**
 * Whether what is learned of late buys is right on average, where that can be told: in a simulated shop whose true
 * probabilities lie beside the log. Nearly all of its buys come later than the 30 minutes after which they are learned as
 * not bought, and nothing trends. The figure is Σ predicted / Σ true from day 9 on, without the chance that a count of buys has.
 */
import type { Context, Measured } from './row.js'
import { withScratch } from './scratch.js'
import { judgedOf, runShop } from './simulated-shop.js'
import { overSeeds } from './statistics.js'

/** By then the first buys have been learned, and their week is over. */
const FROM_DAY = 9
const LATE = ['tasks.1.given=click', 'tasks.1.label.window=7d', 'tasks.1.label.attribution=given']

export async function measureLateShop({ repeats, say }: Context): Promise<Measured> {
  const ratios: number[] = []
  for (let seed = 1; seed <= repeats; seed++) {
    say(`late buys of the simulated shop, seed ${seed}`)
    const ratio = await withScratch('late-shop', async folder => {
      await runShop(['replay'], folder, seed, LATE)
      return ratioOf(folder)
    })
    ratios.push(ratio)
  }
  const limit = { better: 'between', reach: [0.97, 1.03] } as const
  return { figures: [{ name: 'predicted ÷ true', format: 'score', value: overSeeds(ratios), limit }], details: ratios }
}

async function ratioOf(folder: string): Promise<number> {
  let [predicted, happens] = [0, 0]
  for await (const { day, truth, values } of judgedOf(folder, 'buy')) {
    if (day < FROM_DAY) continue
    predicted += values.buy ?? Number.NaN
    happens += truth
  }
  return predicted / happens
}

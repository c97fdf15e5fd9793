/** examples/shop.yaml learned from its beginning, where the true probabilities of its impressions lie beside the log. */
import { join } from 'node:path'
import { readTruth, TRUTH_FILE } from '../src/simulate/truth.js'
import { predictionsOf, type Said } from './predictions.js'
import { type Finished, millrace } from './program.js'

const DAY_MS = 86_400_000

export interface Judged extends Said {
  /** Since the first impression. */
  day: number
  /** The true probability. */
  truth: number
}

/** command: of the program. set: further settings. Everything lies in the folder. */
export function runShop(
  command: readonly [string, ...options: string[]],
  folder: string,
  seed: number,
  set: readonly string[],
): Promise<Finished> {
  const [name, ...options] = command
  return millrace(
    ...[name, 'examples/shop.yaml', ...options, '--set', `source.log=${join(folder, 'log')}`, 'evaluate.compare=[]'],
    ...[`source.simulate.seed=${seed}`, `model.seed=${seed}`, `outputs.path=${join(folder, 'out')}`],
    ...[`checkpoint.path=${join(folder, 'checkpoints')}`, `evaluate.report=${join(folder, 'report.html')}`, ...set],
  )
}

/** What a replay into the folder has predicted of the impressions, in their order. */
export async function* judgedOf(folder: string, task: 'click' | 'buy'): AsyncGenerator<Judged> {
  const truths = new Map<string, number>()
  for await (const truth of readTruth(join(folder, 'log', TRUTH_FILE))) truths.set(truth.eventId, truth[task])
  let begin = Number.NaN
  for await (const said of predictionsOf(join(folder, 'out/predictions'))) {
    const truth = truths.get(said.eventId)
    if (truth === undefined) continue
    if (Number.isNaN(begin)) begin = Number(said.eventTime)
    yield { ...said, truth, day: (Number(said.eventTime) - begin) / DAY_MS }
  }
}

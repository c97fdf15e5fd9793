/**
 * The next item, ranked among the whole catalogue before it is learned: `evaluate` of an example with `recommend` on.
 * The heads of the model do not matter here, so their batches are large. Random starts differ by seed.
 */
import type { RunSummary } from '../src/evaluate/report/summary.js'
import { millrace } from './program.js'
import { findData } from './quality.js'
import type { Context, Measured } from './row.js'
import { spreadOf } from './statistics.js'
import type { Figure } from './verdict.js'

const SEEDS = [1, 2, 3]
const SETTINGS = ['fast.enabled=false', 'batch.tick=1d', 'evaluate.after=0s', 'recommend.baselines=true']

type Tasks = RunSummary['tasks']

export async function measureNextFilm(context: Context): Promise<Measured> {
  const runs = await evaluate(context, 'examples/ml-100k.yaml', ['recommend.repeats=false'])
  const all = (task: string, figure: 'recallAt10' | 'ndcgAt10') =>
    runs.map(tasks => tasks[task]?.[figure] ?? Number.NaN)
  const recalls = all('next-item', 'recallAt10')
  const knn = all('next-item.item-knn', 'recallAt10')
  const gain = recalls.map((recall, run) => recall - (knn[run] ?? 0))
  return {
    figures: [
      score('R@10', recalls, 0.18, 0.195),
      score('NDCG@10', all('next-item', 'ndcgAt10'), 0.091, 0.1),
      score('gain', gain, 0),
    ],
    details: runs,
  }
}

export async function measureNextBrand(context: Context): Promise<Measured> {
  const runs = await evaluate(context, 'examples/tmall.yaml', ['recommend.tick=1d'])
  const best = (tasks: Tasks, split: 'all' | 'new') =>
    Math.max(...['own-history', 'popularity'].map(ranker => recallOf(tasks[`next-item.${ranker}`], split)))
  const gains = (split: 'all' | 'new') => runs.map(tasks => recallOf(tasks['next-item'], split) - best(tasks, split))
  return { figures: [score('all', gains('all'), 0), score('new', gains('new'), 0)], details: runs }
}

function recallOf(task: Tasks[string] | undefined, split: 'all' | 'new'): number {
  return (split === 'all' ? task?.recallAt10 : task?.splits[split]?.recallAt10) ?? Number.NaN
}

async function evaluate({ quick, say }: Context, example: string, settings: string[]): Promise<Tasks[]> {
  findData(example)
  const runs: Tasks[] = []
  for (const seed of quick ? SEEDS.slice(0, 1) : SEEDS) {
    say(`the next item of ${example}, seed ${seed}`)
    const flags = ['--json', '--set', ...settings, ...SETTINGS, `model.seed=${seed}`]
    runs.push((JSON.parse((await millrace('evaluate', example, ...flags)).stdout) as RunSummary).tasks)
  }
  return runs
}

function score(name: string, runs: number[], reach: number, strive?: number): Figure {
  const limit = { better: 'higher' as const, reach, ...(strive === undefined ? {} : { strive }) }
  return { name, format: 'score', value: spreadOf(runs), limit }
}

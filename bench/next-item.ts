/**
 * The next item, ranked among the whole catalogue before it is learned: `evaluate` of an example with `recommend` on.
 * The heads of the model do not matter here, so their batches are large. Random starts differ by seed.
 */
import type { RunSummary } from '../src/evaluate/report/summary.js'
import { evaluate } from './quality.js'
import type { Context, Measured } from './row.js'
import { overSeeds, type SeedMean } from './statistics.js'
import type { Figure } from './verdict.js'

const SEEDS = [1, 2, 3]
const SETTINGS = ['fast.enabled=false', 'batch.tick=1d', 'evaluate.after=0s', 'recommend.baselines=true']

type Tasks = RunSummary['tasks']

export async function measureNextFilm(context: Context): Promise<Measured> {
  const runs = await tasksOf(context, 'examples/ml-100k.yaml', ['recommend.repeats=false'])
  const model = (figure: 'recallAt10' | 'ndcgAt10') =>
    overSeeds(
      runs.map(tasks => tasks['next-item']?.[figure] ?? Number.NaN),
      runs[0]?.['next-item']?.intervals?.[figure],
    )
  const knn = runs.map(tasks => tasks['next-item.item-knn']?.model?.recallAt10)
  const gain = overSeeds(
    knn.map(over => over?.difference ?? Number.NaN),
    knn[0]?.interval,
  )
  return {
    figures: [
      score('R@10', model('recallAt10'), 0.18, 0.195),
      score('NDCG@10', model('ndcgAt10'), 0.091, 0.1),
      score('gain', gain, 0),
    ],
    details: runs,
  }
}

export async function measureNextBrand(context: Context): Promise<Measured> {
  const runs = await tasksOf(context, 'examples/tmall.yaml', ['recommend.tick=1d'])
  const best = (tasks: Tasks, split: 'all' | 'new') =>
    Math.max(...['own-history', 'popularity'].map(ranker => recallOf(tasks[`next-item.${ranker}`], split)))
  const gains = (split: 'all' | 'new') => runs.map(tasks => recallOf(tasks['next-item'], split) - best(tasks, split))
  return {
    figures: [score('all', overSeeds(gains('all')), 0), score('new', overSeeds(gains('new')), 0)],
    details: runs,
  }
}

function recallOf(task: Tasks[string] | undefined, split: 'all' | 'new'): number {
  return (split === 'all' ? task?.recallAt10 : task?.splits[split]?.recallAt10) ?? Number.NaN
}

async function tasksOf({ quick, say }: Context, example: string, settings: string[]): Promise<Tasks[]> {
  const runs: Tasks[] = []
  for (const seed of quick ? SEEDS.slice(0, 1) : SEEDS) {
    say(`the next item of ${example}, seed ${seed}`)
    runs.push((await evaluate(example, [...settings, ...SETTINGS, `model.seed=${seed}`])).tasks)
  }
  return runs
}

function score(name: string, value: SeedMean, reach: number, strive?: number): Figure {
  const limit = { better: 'higher' as const, reach, ...(strive === undefined ? {} : { strive }) }
  return { name, format: 'score', value, limit }
}

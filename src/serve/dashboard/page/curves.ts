/** From windows to lines: each window, the mean of the last few, and the constant that it is compared with. */
import type { Status, TaskWindow } from '../../telemetry/status.js'

/** x, then one a series. */
export type Columns = (number | null)[][]

export type Lens = 'ranking' | 'loss'

export interface FigureSpec {
  /** Name in a window's values. */
  name: string
  label: string
  /** Of the constant that it is compared with. */
  baselineLabel: string
  better: 'higher' | 'lower'
}

const FIGURES: Record<'binary' | 'numeric' | 'top-n', Record<Lens, FigureSpec>> = {
  binary: {
    ranking: { name: 'auc', label: 'AUC', baselineLabel: 'chance', better: 'higher' },
    loss: { name: 'logLoss', label: 'log loss', baselineLabel: 'constant rate', better: 'lower' },
  },
  numeric: {
    ranking: { name: 'rmse', label: 'RMSE', baselineLabel: 'always the mean', better: 'lower' },
    loss: { name: 'mae', label: 'MAE', baselineLabel: '', better: 'lower' },
  },
  'top-n': {
    ranking: { name: 'recallAt10', label: 'recall at 10', baselineLabel: 'popularity', better: 'higher' },
    loss: { name: 'ndcgAt10', label: 'NDCG at 10', baselineLabel: 'popularity', better: 'higher' },
  },
}

export interface CurveTask {
  name: string
  head: string
  /** Whose figures are the baseline, if not the window's own. */
  rival: string | undefined
}

/** The configured tasks, and the next item where it is judged. */
export function curveTasks({ about, windows }: Status): CurveTask[] {
  const seen = new Set(windows.flatMap(({ tasks }) => tasks.map(({ task }) => task)))
  const own = about.tasks.map(({ name, head }) => ({ name, head, rival: undefined }))
  if (!seen.has('next-item')) return own
  const rival = seen.has('next-item.popularity') ? 'next-item.popularity' : undefined
  return [...own, { name: 'next-item', head: 'top-n', rival }]
}

export function figureSpec({ head }: CurveTask, lens: Lens): FigureSpec {
  if (head === 'categorical') return FIGURES.binary[lens]
  return FIGURES[head === 'binary' || head === 'top-n' ? head : 'numeric'][lens]
}

export interface TaskCurve {
  /** records, each window, smoothed, baseline */
  columns: Columns
  /** Of the smoothed line and of the baseline, the last ones. */
  last: number | null
  baseline: number | null
  labels: number
}

export function taskCurve({ windows }: Status, task: CurveTask, { name }: FigureSpec): TaskCurve {
  const entries = windows.map(({ records, tasks }) => ({
    records,
    entry: tasks.find(one => one.task === task.name),
    tasks,
  }))
  const points = entries.filter(({ entry }) => entry !== undefined)
  const span = points.length < 20 ? 3 : Math.round(points.length / 15) + 3
  const weights = points.map(({ entry }) => weightOf(entry))
  // A window that hardly had a label says nothing, and draws the eye.
  const least = 0.1 * median(weights)
  const values = points.map(({ entry }, index) =>
    (weights[index] ?? 0) < least ? null : (entry?.values[name] ?? null),
  )
  const constants = points.map(({ entry, tasks }) =>
    task.rival === undefined
      ? (entry?.baseline[name] ?? null)
      : (tasks.find(one => one.task === task.rival)?.values[name] ?? null),
  )
  const smooth = smoothed(values, weights, span)
  const baseline = smoothed(constants, weights, span)
  return {
    columns: [points.map(({ records }) => records), values, smooth, baseline],
    last: lastOf(smooth),
    baseline: lastOf(baseline),
    labels: points.reduce((sum, { entry }) => sum + (entry?.count ?? 0), 0),
  }
}

function weightOf(entry: TaskWindow | undefined): number {
  if (entry === undefined) return 0
  return entry.positives > 0 ? entry.positives : entry.count
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0
}

const lastOf = (values: readonly (number | null)[]) => values.findLast(value => value !== null) ?? null

/** The weighted mean of each value and the span - 1 before it; what is undefined is left out. */
function smoothed(values: readonly (number | null)[], weights: readonly number[], span: number): (number | null)[] {
  return values.map((_, index) => {
    let sum = 0
    let weight = 0
    for (let at = Math.max(0, index + 1 - span); at <= index; at++) {
      const value = values[at]
      if (value === null || value === undefined) continue
      sum += value * (weights[at] ?? 0)
      weight += weights[at] ?? 0
    }
    return weight > 0 ? sum / weight : null
  })
}

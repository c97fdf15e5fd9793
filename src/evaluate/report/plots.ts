/**
 * What the HTML report draws, as data: the page's script only hands it to uPlot, and the tables beside the plots hold
 * the same numbers. Curves of all runs share a plot, one colour a run; task weights have one plot a run, one colour a task.
 */
import { isProbability } from '../../domain/heads.js'
import type { CalibrationPoint } from '../metrics/calibration.js'
import type { MetricName } from '../metrics/task-metrics.js'
import { headlineMetric, METRICS } from './headline.js'
import type { ReportedTask, RunReport } from './report.js'
import { smoothed, smoothingSpan, type WindowFigure, windowFigure } from './smoothing.js'

export type AxisKind = 'count' | 'number' | 'share'

interface PlotAxis {
  label: string
  kind: AxisKind
  log: boolean
  /** Fixed range; absent: that of the data. */
  range?: [number, number]
}

export interface PlotSeries {
  label: string
  /** Place in the palette; -1 is the grey of reference lines. */
  colour: number
  /** faint: the raw figures behind a smoothed line; not in the legend. */
  style: 'line' | 'dashed' | 'points' | 'faint'
}

export interface Plot {
  title: string
  /** One sentence on how to read it. */
  note: string
  x: PlotAxis
  y: PlotAxis
  series: PlotSeries[]
  /** x, then one column a series. x ascends; null = nothing there. */
  columns: (number | null)[][]
  shape: 'wide' | 'square'
}

/** More points than this would only lie on the same pixels. */
const MAX_POINTS = 800

const NOTES: { [name in MetricName]?: string } = {
  auc: 'Share of pairs in which the positive has the higher score. Higher is better, 0.5 is chance.',
  logLoss: 'Mean surprise at what happened. Lower is better.',
  normalisedEntropy: 'Log loss over that of always saying the average. Lower is better, 1 is the average.',
  rmse: 'Root mean squared error, in units of the label. Lower is better.',
  mae: 'Mean absolute error, in units of the label. Lower is better.',
  recallAt10: 'Share of next items among the first 10 of the whole catalogue. Higher is better.',
  ndcgAt10: 'The same, weighted by place. Higher is better.',
}

export function learningCurves(reports: readonly RunReport[], task: ReportedTask): Plot[] {
  const second: MetricName = isProbability(task.head) ? 'normalisedEntropy' : task.head === 'top-n' ? 'ndcgAt10' : 'mae'
  return [headlineMetric(task), second].map(metric => learningCurve(reports, task, metric))
}

function learningCurve(reports: readonly RunReport[], task: ReportedTask, metric: MetricName): Plot {
  const label = METRICS[metric].title ?? METRICS[metric].label
  const raw = reports.map(report => report.curve.map(point => windowFigure(point, task, metric)))
  const span = smoothingSpan(reports)
  const smooth = span > 1 ? raw.map(points => smoothed(points, span)) : []
  const line = (points: readonly WindowFigure[]): Line => points.map(({ events, value }) => [events, value])
  const seriesOf = (style: PlotSeries['style']) =>
    reports.map(({ name }, colour): PlotSeries => ({ label: name, colour, style }))
  return {
    title: `${task.name}: ${label}`,
    note: NOTES[metric] ?? '',
    x: { label: 'records read', kind: 'count', log: false },
    y: { label, kind: 'number', log: false },
    series: span > 1 ? [...seriesOf('faint'), ...seriesOf('line')] : seriesOf('line'),
    columns: alignColumns([...raw, ...smooth].map(line)),
    shape: 'wide',
  }
}

export function calibrationPlot(reports: readonly RunReport[], task: ReportedTask): Plot | undefined {
  const curves = reports.map(report => report.tasks.find(({ name }) => name === task.name)?.calibration ?? [])
  const points = curves.flat()
  if (points.length === 0) return undefined
  const rates = points.flatMap(point => [point.meanPrediction, point.observedRate]).filter(rate => rate > 0)
  const lowest = Math.min(...rates)
  const highest = Math.max(...rates)
  const log = highest / lowest > 20
  const range: [number, number] = [log ? lowest / 1.3 : 0, Math.min(highest * (log ? 1.3 : 1.05), 1)]
  // A rate of 0 has no place on a logarithmic axis.
  const line = (curve: CalibrationPoint[]) =>
    curve.map(point => [point.meanPrediction, log && point.observedRate === 0 ? null : point.observedRate] as const)
  const columns = alignColumns([
    [
      [range[0], range[0]],
      [range[1], range[1]],
    ],
    ...curves.map(line),
  ])
  const empty = log && points.some(point => point.observedRate === 0) ? ' Groups without a positive are left out.' : ''
  return {
    title: `${task.name}: calibration`,
    note: `Scores in groups of equal count. On the diagonal, what was promised is what happened.${empty}`,
    x: { label: 'mean predicted', kind: 'share', log, range },
    y: { label: 'observed', kind: 'share', log, range },
    series: [
      { label: 'perfect', colour: -1, style: 'dashed' },
      ...reports.map(({ name }, colour): PlotSeries => ({ label: name, colour, style: 'points' })),
    ],
    columns,
    shape: 'square',
  }
}

/** One plot for each run whose weights moved. */
export function weightPlots(reports: readonly RunReport[]): Plot[] {
  return reports.filter(weightsMoved).map(({ name, weights }) => {
    const tasks = Object.keys(weights.weights)
    const lines = tasks.map(task => pairs(weights.steps, weights.weights[task] ?? []))
    return {
      title: reports.length > 1 ? `Task weights: ${name}` : 'Task weights',
      note: 'How much one label of each task counts in the joint loss.',
      x: { label: 'steps', kind: 'count', log: false },
      y: { label: 'weight', kind: 'number', log: false },
      series: tasks.map((task, colour) => ({ label: task, colour, style: 'line' })),
      columns: alignColumns(lines),
      shape: 'wide',
    }
  })
}

export function weightsMoved({ weights }: RunReport): boolean {
  return Object.values(weights.weights).some(values => values.some(value => value !== values[0]))
}

export function lossPlot(reports: readonly RunReport[]): Plot | undefined {
  if (reports.every(({ loss }) => loss.steps.length === 0)) return undefined
  return {
    title: 'Joint loss',
    note: 'What the steps minimise: the weighted losses of all tasks. Comparable only between runs with the same weights.',
    x: { label: 'steps', kind: 'count', log: false },
    y: { label: 'loss', kind: 'number', log: false },
    series: reports.map(({ name }, colour) => ({ label: name, colour, style: 'line' })),
    columns: alignColumns(reports.map(({ loss }) => pairs(loss.steps, loss.loss))),
    shape: 'wide',
  }
}

export function throughputPlot(reports: readonly RunReport[]): Plot | undefined {
  if (reports.every(({ throughput }) => throughput.length === 0)) return undefined
  return {
    title: 'Throughput',
    note: 'Records read per second of wall time.',
    x: { label: 'records read', kind: 'count', log: false },
    y: { label: 'events/s', kind: 'count', log: false },
    series: reports.map(({ name }, colour) => ({ label: name, colour, style: 'line' })),
    columns: alignColumns(
      reports.map(({ throughput }) => throughput.map(point => [point.events, point.eventsPerSecond])),
    ),
    shape: 'wide',
  }
}

type Line = readonly (readonly [x: number, y: number | null])[]

function pairs(xs: readonly number[], ys: readonly number[]): Line {
  return xs.map((x, index) => [x, ys[index] ?? null])
}

/** uPlot wants one ascending x for all series: the union of theirs, with nulls where a line has no point. */
function alignColumns(lines: readonly Line[]): (number | null)[][] {
  const thinned = lines.map(thin)
  const xs = [...new Set(thinned.flatMap(line => line.map(([x]) => x)))].sort((a, b) => a - b)
  const columns = thinned.map(line => {
    const ys = new Map(line)
    return xs.map(x => ys.get(x) ?? null)
  })
  return [xs, ...columns]
}

/** Every nth point, the last one included. */
function thin(line: Line): Line {
  const stride = Math.ceil(line.length / MAX_POINTS)
  return line.filter((_, index) => (line.length - 1 - index) % stride === 0)
}

/**
 * Sampling intervals of figures and of differences, from the replicates that a run carries (sampling/sampling.ts): the
 * middle 95 % of them. A difference is taken replicate by replicate, so that what both runs have in common, the users
 * and the days, cancels: it is far surer than the two figures are. That needs the same examples in both; where a run
 * judged others (another window, another log), its difference has no interval.
 */

import type { MetricName } from '../metrics/task-metrics.js'
import type { SampledLine, SampledRun } from '../sampling/sampling.js'
import { formatCount } from './headline.js'
import type { RunReport } from './report.js'

export interface Interval {
  low: number
  high: number
}

/** With fewer blocks than this the middle of the replicates says nothing. */
const FEWEST_BLOCKS = 10
/** With fewer than this it is too narrow (Cameron, Gelbach & Miller 2008). */
const ENOUGH_BLOCKS = 40
const LEVEL = 0.95
/** So many replicates must have the figure. */
const LEAST_SHARE = 0.95

export function intervalOf(report: RunReport, task: string, metric: MetricName): Interval | undefined {
  const line = lineOf(report, task)
  return line === undefined ? undefined : middle(line.figures[metric] ?? [])
}

/** Of the other's figure minus the first one's. Both may be of one run: a task and a baseline of it. */
export function differenceInterval(
  first: { report: RunReport; task: string },
  other: { report: RunReport; task: string },
  metric: MetricName,
): Interval | undefined {
  const a = lineOf(first.report, first.task)
  const b = lineOf(other.report, other.task)
  if (a === undefined || b === undefined || !isSameExamples(a, b)) return undefined
  const before = a.figures[metric] ?? []
  const after = b.figures[metric] ?? []
  return middle(after.map((figure, replicate) => minus(figure, before[replicate])))
}

/** What the intervals are, in a sentence; undefined: the run has none. */
export function samplingNote({ sampled }: RunReport): string | undefined {
  if (sampled === undefined) return undefined
  const unit = sampled.blocks === 1 ? sampled.by : `${sampled.by}s`
  const blocks = `${sampled.more ? 'more than ' : ''}${formatCount(sampled.blocks)} ${unit}`
  if (sampled.blocks < FEWEST_BLOCKS)
    return `No intervals: ${blocks} are too few to resample, ${FEWEST_BLOCKS} are the least.`
  const few = sampled.blocks < ENOUGH_BLOCKS ? ` So few ${sampled.by}s make them too narrow.` : ''
  return `Intervals hold 95 % of ${formatCount(replicatesOf(sampled))} resamplings of ${blocks} (Poisson bootstrap): what other ${sampled.by}s would give, not what another seed would.${few}`
}

export function replicatesOf({ lines }: SampledRun): number {
  return Object.values(lines)[0]?.labels.length ?? 0
}

function lineOf({ sampled }: RunReport, task: string): SampledLine | undefined {
  return sampled === undefined || sampled.blocks < FEWEST_BLOCKS ? undefined : sampled.lines[task]
}

function isSameExamples(a: SampledLine, b: SampledLine): boolean {
  return isEqual(a.labels, b.labels) && isEqual(a.sums, b.sums)
}

function isEqual(a: readonly number[], b: readonly number[]): boolean {
  // Labels are summed in the order of the answers, which may differ: equal up to rounding.
  return a.length === b.length && a.every((sum, r) => Math.abs(sum - (b[r] ?? 0)) <= 1e-9 * Math.abs(sum))
}

function minus(figure: number | null, from: number | null | undefined): number | null {
  return figure === null || from === null || from === undefined ? null : figure - from
}

/** The two quantiles, interpolated between neighbours. */
function middle(figures: readonly (number | null)[]): Interval | undefined {
  const sorted = figures.filter(figure => figure !== null).sort((a, b) => a - b)
  if (sorted.length === 0 || sorted.length < LEAST_SHARE * figures.length) return undefined
  const quantile = (share: number) => {
    const place = share * (sorted.length - 1)
    const below = sorted[Math.floor(place)] ?? 0
    return below + (place % 1) * ((sorted[Math.ceil(place)] ?? 0) - below)
  }
  return { low: quantile((1 - LEVEL) / 2), high: quantile((1 + LEVEL) / 2) }
}

/**
 * What a row of the table may say, and how it is judged. A row has one or several figures, each with its limits; the
 * row's verdict is that of its worst figure. A repeated measurement is judged by its median, seeds by their mean.
 */
import type { SeedMean, Spread } from './statistics.js'

export interface Limit {
  better: 'higher' | 'lower'
  reach: number
  /** Absent: nothing further to strive for. */
  strive?: number
}

export interface Figure {
  name: string
  /** How the value is written. */
  format: Format
  value: number | Spread | SeedMean
  limit: Limit
}

/** count: 41,200. ratio: 1.28. percent: ± 2.1 %. score: 0.9412. seconds, micros and bytes: with their unit. */
export type Format = 'count' | 'ratio' | 'percent' | 'score' | 'seconds' | 'micros' | 'bytes'

export type Verdict = 'strived-for reached' | 'reached' | 'missed' | 'not measured'

export function judgedValue({ value }: Figure): number {
  if (typeof value === 'number') return value
  return 'mean' in value ? value.mean : value.median
}

export function verdictOf(figures: readonly Figure[]): Verdict {
  if (figures.length === 0 || figures.some(figure => !Number.isFinite(judgedValue(figure)))) return 'not measured'
  if (!figures.every(figure => meets(figure, figure.limit.reach))) return 'missed'
  const strives = figures.every(({ limit }) => limit.strive !== undefined)
  const striven = figures.every(figure => figure.limit.strive === undefined || meets(figure, figure.limit.strive))
  return strives && striven ? 'strived-for reached' : 'reached'
}

function meets(figure: Figure, bound: number): boolean {
  return figure.limit.better === 'higher' ? judgedValue(figure) >= bound : judgedValue(figure) <= bound
}

/**
 * What a row of the table may say, and how it is judged. A row has one or several figures, each with its limits; the
 * row's verdict is that of its worst figure. A repeated measurement is judged by its median, seeds by their mean.
 */
import type { SeedMean, Spread } from './statistics.js'

export type Limit =
  | {
      better: 'higher' | 'lower'
      reach: number
      /** Absent: nothing further to strive for. */
      strive?: number
    }
  /** Of what should be near a value: the least and the greatest that reach it. */
  | { better: 'between'; reach: readonly [low: number, high: number]; strive?: undefined }

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
  if (!figures.every(reaches)) return 'missed'
  const strives = figures.every(({ limit }) => limit.strive !== undefined)
  return strives && figures.every(striven) ? 'strived-for reached' : 'reached'
}

function reaches(figure: Figure): boolean {
  const { limit } = figure
  const value = judgedValue(figure)
  if (limit.better === 'between') return value >= limit.reach[0] && value <= limit.reach[1]
  return limit.better === 'higher' ? value >= limit.reach : value <= limit.reach
}

function striven(figure: Figure): boolean {
  const { limit } = figure
  return limit.strive !== undefined && reaches({ ...figure, limit: { ...limit, reach: limit.strive } })
}

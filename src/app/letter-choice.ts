/** Which dead letters are meant. */
import { MillraceError } from '../domain/errors.js'

interface ChoosableLetter {
  topic: string
  partition: number
  reason: string
  stage: string
  /** Of the record: its message's, or its event time; NaN where nobody knows. */
  timestampMs: number
}

export type LetterChoice = (letter: ChoosableLetter) => boolean

export interface LetterFlags {
  reason?: string[]
  stage?: string[]
  topic?: string[]
  partition?: string[]
  from?: string
  until?: string
}

/** A letter must fit every flag that is given. USAGE: a time is none. */
export function createLetterChoice({ reason, stage, topic, partition, from, until }: LetterFlags): LetterChoice {
  const fromMs = timeOf('from', from) ?? Number.NEGATIVE_INFINITY
  const untilMs = timeOf('until', until) ?? Number.POSITIVE_INFINITY
  const isTimed = from !== undefined || until !== undefined
  const fits = (wanted: readonly string[] | undefined, value: string) => wanted === undefined || wanted.includes(value)
  return letter =>
    fits(reason, letter.reason) &&
    fits(stage, letter.stage) &&
    fits(topic, letter.topic) &&
    fits(partition, String(letter.partition)) &&
    (!isTimed || (letter.timestampMs >= fromMs && letter.timestampMs < untilMs))
}

function timeOf(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const timeMs = Date.parse(text)
  if (!/^\d{4}-\d\d-\d\dT/.test(text) || Number.isNaN(timeMs))
    throw new MillraceError('USAGE', `--${flag} ${text}: of dead letters, an ISO time of the record is expected`)
  return timeMs
}

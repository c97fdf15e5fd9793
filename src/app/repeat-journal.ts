/**
 * `replay --journal`: what a live run has learned, learned again from its first record, in the order and the batches that its
 * journal tells of. Same log, same journal: same model, bit for bit, as the live run had there, however often that was
 * killed. Reads only: the live run is not disturbed.
 */
import { MillraceError } from '../domain/errors.js'
import { isByClock } from '../pipeline/journal.js'
import type { PipelineParts } from '../pipeline/pipeline.js'
import type { JournalRecord } from '../sink/output-records.js'
import type { Resume } from '../source/repetition.js'
import type { MergeDecision, UnknownSchema } from '../source/source.js'

/** What a live run has left. */
interface WrittenJournal {
  /** Where it was read, for messages. */
  name: string
  entries: readonly JournalRecord[]
  /** By name of the partition: up to where its outputs are visible. Absent: the journal says it. */
  committed?: ReadonlyMap<string, bigint>
}

export function repeatJournal(
  parts: PipelineParts,
  source: { resume(resume: Resume): void },
  { name, entries: all, committed }: WrittenJournal,
): undefined {
  const { logger, position, journal } = parts
  const first = all.findLastIndex(({ kind }) => kind === 'begin')
  const begin = all[first]
  if (begin === undefined)
    throw new MillraceError('LOG_NOT_FOUND', `the journal ${name} does not tell where the model began`)
  const partitions = begin.partitions ?? []
  const entries = all.slice(first + 1)
  if (entries.some(({ trigger }) => trigger === 'end'))
    throw new MillraceError('LOG_NOT_FOUND', `the journal ${name} tells of a run that was not live (--follow)`)
  const decisions = entries.flatMap(decisionOf)
  const names = [...partitions, ...decisions.flatMap(({ name }) => (name === undefined ? [] : [name]))]
  const reached = committed === undefined ? (entries.findLast(isByClock) ?? begin).consumed : undefined
  const until = names.map((name, index) => {
    const start = begin.consumed[index]?.offset ?? 0n
    return (reached === undefined ? committed?.get(name) : reached[index]?.offset) ?? start
  })
  // Of a run that goes on meanwhile: what was committed behind the offsets.
  const isWithin = ({ consumed }: JournalRecord) =>
    consumed.every(({ partition, offset }) => offset <= (until[partition] ?? 0n))
  const wanted = entries.slice(0, entries.findLastIndex(isWithin) + 1)
  position.nextOffsets = begin.consumed.map(({ offset }) => offset)
  journal.restore(begin.seq)
  journal.repeat(begin)
  journal.follow(wanted)
  parts.repeatsTo = (wanted.at(-1) ?? begin).seq + 1
  const unknown = entries.flatMap(unknownOf)
  source.resume({ partitions, records: 0, decisions, until, unknown, thenEnd: true })
  logger.info({ journal: wanted.length, until: until.map(String) }, 'learning again what the journal tells of')
  return undefined
}

export function decisionOf({ kind, records, partition, partitionName }: JournalRecord): MergeDecision[] {
  if (kind !== 'idle' && kind !== 'active') return []
  return [{ records, partition, idle: kind === 'idle', ...(partitionName === null ? {} : { name: partitionName }) }]
}

export function unknownOf({ kind, partition, offset = -1n }: JournalRecord): UnknownSchema[] {
  return kind === 'unknown-schema' ? [{ partition, offset }] : []
}

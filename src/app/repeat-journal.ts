/**
 * `replay --journal`: what a live run has learned from topics, learned again from its first record, in the order and the
 * batches that its journal tells of, up to the offsets that its group has committed. Same log, same journal: same model, bit
 * for bit, as the live run had there, however often that was killed. Reads only: the live run is not disturbed.
 */
import type { KafkaConnection } from '../config/kafka-connection.js'
import type { LoadedConfig } from '../config/load.js'
import { MillraceError } from '../domain/errors.js'
import type { PipelineParts } from '../pipeline/pipeline.js'
import { readCommitted } from '../sink/kafka-committed.js'
import type { JournalRecord } from '../sink/output-records.js'
import type { KafkaSource } from '../source/kafka.js'
import type { MergeDecision, UnknownSchema } from '../source/source.js'

interface RepeatDeps {
  loaded: LoadedConfig
  connection: KafkaConnection
  decodeJournal(value: Buffer): JournalRecord
}

export async function repeatJournal(parts: PipelineParts, source: KafkaSource, deps: RepeatDeps): Promise<undefined> {
  const { loaded, connection, decodeJournal } = deps
  const { source: from, outputs } = loaded.config
  if (from.kafka === undefined || outputs.kafka === undefined)
    throw new MillraceError('CONFIG_INVALID', `${loaded.file}: --journal needs source.kafka and outputs.kafka`)
  const { group: groupId } = from.kafka
  const journalTopic = outputs.kafka.journal
  const { logger, wallClock: clock, position, journal } = parts
  const { offsets, journal: all } = await readCommitted({
    connection,
    groupId,
    journalTopic,
    decodeJournal,
    logger,
    clock,
  })
  const first = all.findLastIndex(({ kind }) => kind === 'begin')
  const begin = all[first]
  if (begin === undefined)
    throw new MillraceError('LOG_NOT_FOUND', `the journal ${journalTopic} does not tell where the model began`)
  const partitions = begin.partitions ?? []
  const entries = all.slice(first + 1)
  const decisions = entries.flatMap(decisionOf)
  const names = [...partitions, ...decisions.flatMap(({ name }) => (name === undefined ? [] : [name]))]
  const until = names.map((name, index) => offsets.get(name) ?? begin.consumed[index]?.offset ?? 0n)
  // Of a run that goes on meanwhile: what was committed behind the offsets.
  const isWithin = ({ consumed }: JournalRecord) =>
    consumed.every(({ partition, offset }) => offset <= (until[partition] ?? 0n))
  const last = entries.findLastIndex(isWithin)
  const wanted = entries.slice(0, last + 1)
  position.nextOffsets = begin.consumed.map(({ offset }) => offset)
  journal.restore(begin.seq + 1)
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

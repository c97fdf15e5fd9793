/**
 * `replay --from-dlq`: dead letters of topics that can be used by now become records of their topics again, in the
 * partitions they were in. The learner meets them like any other record, so the model stays a function of the log.
 *
 * Each letter is tried first: what would fail again stays where it is. What was put back is noted in the topic
 * <dead letters>.replayed, in the transaction that puts it back: a letter is never put back twice, whoever tries.
 */
import { kafkaConnection } from '../config/kafka-connection.js'
import type { LoadedConfig } from '../config/load.js'
import { createMessageDecoder } from '../decode/message-decoder.js'
import { createDecoderFactory } from '../decode/record-decoder.js'
import { MillraceError } from '../domain/errors.js'
import { createLabelCheck } from '../join/label-range.js'
import type { Log } from '../observe/log.js'
import { registerCodecs } from '../sink/kafka-codecs.js'
import { type Letter, readLetter, replayedMessage } from '../sink/kafka-letters.js'
import { type AddressedMessage, KafkaWriter } from '../sink/kafka-writer.js'
import { type KafkaRangeOptions, readKafkaRange } from '../source/kafka-range.js'
import type { PartitionStart } from '../source/kafka-starts.js'
import { topicMatcher } from '../source/kafka-topics.js'
import { systemClock } from '../std/clock.js'
import { partitionOfBytes } from '../std/murmur2.js'
import { uniqueName } from '../std/unique-name.js'
import { withClosers } from './closers.js'
import { openRegistry } from './kafka-registry.js'
import type { LetterChoice } from './letter-choice.js'
import { writerSchemas } from './writer-schemas.js'

export interface ReplayLettersOptions {
  loaded: LoadedConfig
  choice: LetterChoice
  /** Only count. */
  dryRun: boolean
  /** Whether the topic of what was put back is there; a dry run need not make it. */
  hasLedger: boolean
  logger: Log
}

/** What became of the letters; the counts add up to `letters`. */
export interface LettersReplayed {
  letters: number
  /** Put back, or would be. */
  replayed: number
  /** By an earlier call. */
  before: number
  /** Would fail again, by reason. */
  failing: Record<string, number>
  /** Not chosen by the flags. */
  others: number
  /** Of topics that this configuration does not read, or without the headers that say where they belong. */
  foreign: number
}

const CHUNK = 2000

export const ledgerTopic = (deadLetters: string): string => `${deadLetters}.replayed`

export async function replayLetters(options: ReplayLettersOptions, stop?: AbortSignal): Promise<LettersReplayed> {
  const { loaded, choice, dryRun, hasLedger, logger } = options
  const { config, folder, file } = loaded
  const target = config.outputs.kafka
  const source = config.source.kafka
  if (source === undefined || target === undefined)
    throw new MillraceError('CONFIG_INVALID', `${file} needs source.kafka and outputs.kafka to put dead letters back`)
  registerCodecs()
  const connection = kafkaConnection(config.kafka, folder, logger)
  const range = (topic: string): KafkaRangeOptions => ({
    connection,
    topics: [topic],
    group: `${target.transactionalId}-dlq-read-${uniqueName()}`,
    from: 'earliest',
    until: 'latest',
    onLostOffset: 'jump',
    sessionTimeout: source.sessionTimeout,
    logger,
    clock: systemClock,
  })
  const { matches } = topicMatcher(source.topics)
  const result: LettersReplayed = { letters: 0, replayed: 0, before: 0, failing: {}, others: 0, foreign: 0 }

  return withClosers(async closers => {
    const registry = openRegistry(loaded, { logger, clock: systemClock }, closers)
    const decoder = createMessageDecoder({
      decoderFor: createDecoderFactory(config.source),
      framing: source.framing,
      registry,
      ...writerSchemas(loaded, source),
    })
    const labelFault = createLabelCheck(config.tasks)
    const ledger = ledgerTopic(target.deadLetters)
    // Taken over first, read afterwards: nobody else puts letters back from here on.
    const writer = dryRun
      ? undefined
      : await KafkaWriter.open(
          {
            connection,
            work: `${target.transactionalId}-dlq-replay`,
            instance: uniqueName(),
            topics: [ledger],
            compression: target.compression,
            maxBatchBytes: target.maxMessageBytes,
            logger,
            clock: systemClock,
          },
          stop,
        )
    if (writer !== undefined) closers.push(() => writer.close())
    const done = hasLedger ? await readLedger(range(ledger), stop) : new Set<string>()

    let partitions: readonly PartitionStart[] = []
    const reached: bigint[] = []
    let waiting: Letter[] = []
    await readKafkaRange(
      range(target.deadLetters),
      {
        begin(starts) {
          partitions = starts
          for (const { offset } of starts) reached.push(offset)
        },
        message(partition, offset, message) {
          result.letters++
          reached[partition] = offset + 1n
          const { topic, partition: number } = partitions[partition] as PartitionStart
          const letter = readLetter(`${topic}/${number}/${offset}`, message)
          if (letter === undefined || !matches(letter.topic)) result.foreign++
          else if (!choice(letter)) result.others++
          else if (done.has(letter.id)) result.before++
          else waiting.push(letter)
        },
        get isFull() {
          return waiting.length >= CHUNK
        },
        async drain() {
          const letters = await usable(waiting)
          waiting = []
          result.replayed += letters.length
          if (writer !== undefined && letters.length > 0) await putBack(writer, letters)
        },
      },
      stop,
    )
    return result

    async function usable(letters: readonly Letter[]): Promise<Letter[]> {
      await decoder.prepare(letters)
      return letters.filter(({ value, headers, topic }) => {
        const { outcome } = decoder.decode(value, headers, topic)
        const fault = outcome.kind === 'ok' && labelFault(outcome.value) !== undefined ? 'invalid-number' : undefined
        const reason = outcome.kind === 'reject' ? outcome.reason : fault
        if (reason !== undefined) result.failing[reason] = (result.failing[reason] ?? 0) + 1
        return reason === undefined
      })
    }

    async function putBack(to: KafkaWriter, letters: readonly Letter[]): Promise<void> {
      await to.learn(new Set(letters.map(({ topic }) => topic)))
      const at = new Date(systemClock.nowMs()).toISOString()
      const messages = letters.flatMap((letter): AddressedMessage[] => {
        const partition = partitionFor(letter, to.partitionsOf(letter.topic))
        const note = JSON.stringify({ topic: letter.topic, partition, reason: letter.reason, at })
        return [
          { topic: letter.topic, partition, ...replayedMessage(letter) },
          { topic: ledger, partition: 0, key: Buffer.from(letter.id), value: Buffer.from(note) },
        ]
      })
      const places = partitions.map(({ topic, partition }, index) => ({
        partition: `${topic}/${partition}`,
        next: reached[index] ?? 0n,
      }))
      await to.write(messages, places)
    }
  })
}

/** Its own, unless the topic has fewer partitions now. */
function partitionFor({ partition, key }: Letter, partitions: number): number {
  if (partition >= 0 && partition < partitions) return partition
  return key === null ? 0 : partitionOfBytes(key, partitions)
}

async function readLedger(range: KafkaRangeOptions, stop: AbortSignal | undefined): Promise<Set<string>> {
  const done = new Set<string>()
  await readKafkaRange(
    range,
    {
      begin() {},
      message(_, __, { key }) {
        if (key !== null) done.add(Buffer.from(key).toString())
      },
    },
    stop,
  )
  return done
}

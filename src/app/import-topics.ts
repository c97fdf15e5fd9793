/**
 * `import kafka`: a log → topics. A message log (an export) goes back byte for byte: same partitions, same order. An event
 * log (simulated, imported) becomes messages: keyed by user, timestamps are event times, values in Confluent's frame, each
 * record type under the subject <topic>-<record name>.
 *
 * What is written and how far the log was read are one transaction each, so that an import that was interrupted goes on
 * where it stopped, and one that is repeated writes nothing twice.
 */
import { createHash } from 'node:crypto'
import { closeSync, openSync, readdirSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { kafkaConnection } from '../config/kafka-connection.js'
import type { LoadedConfig } from '../config/load.js'
import { createMessageLogDecoder } from '../decode/message-log.js'
import { createDecoderFactory } from '../decode/record-decoder.js'
import { MillraceError } from '../domain/errors.js'
import type { Log } from '../observe/log.js'
import { type AddressedMessage, KafkaWriter } from '../sink/kafka-writer.js'
import { AvroFileSource } from '../source/avro-file.js'
import type { SourceRecord } from '../source/source.js'
import { systemClock } from '../std/clock.js'
import { uniqueName } from '../std/unique-name.js'
import { withClosers } from './closers.js'
import { readManifest } from './file-ends.js'
import { openRegistry } from './kafka-registry.js'
import { eventMessages, exportedMessages, type ToMessage } from './log-messages.js'
import type { MakingProgress } from './prepare-log.js'

export interface TopicsImportOptions {
  loaded: LoadedConfig
  /** Folder of the log. */
  log: string
  /** 'old=new' for messages of an export, or the one topic that all goes to. Absent: where it came from, or the configured topic. */
  topic: string | undefined
  /** Also what an earlier import of the same log has put there. */
  again: boolean
  /** retention.ms of topics, where it is known; -1: for ever. */
  retentionMs(topics: readonly string[]): Promise<ReadonlyMap<string, number>>
  logger: Log
  onProgress: MakingProgress
}

export interface TopicsImport {
  /** Put there now. */
  messages: number
  /** Put there by an earlier import of the same log. */
  before: number
  /** Corrupt stretches of the log: they are no messages. */
  corrupt: number
  topics: Record<string, number>
}

/** Messages a transaction. */
const CHUNK = 5000
const HEAD_BYTES = 65_536

export async function importTopics(options: TopicsImportOptions, stop?: AbortSignal): Promise<TopicsImport> {
  const { loaded, log, logger, onProgress } = options
  const { config, folder } = loaded
  const manifest = readManifest(log)
  const decoderFor = createDecoderFactory(config.source)
  return withClosers(async closers => {
    const source = new AvroFileSource(
      manifest === undefined
        ? { path: log, decoderFor }
        : {
            path: log,
            decoderFor: createMessageLogDecoder(manifest, decoderFor),
            asTopics: true,
            maxFutureMs: config.join.maxFuture,
          },
    )
    closers.push(() => source.close())
    const registry = openRegistry(loaded, { logger, clock: systemClock }, closers)
    const made: ToMessage =
      manifest === undefined
        ? eventMessages(options.topic ?? theTopic(loaded), registry)
        : await exportedMessages(manifest, options.topic, registry)
    const transactionalId = config.outputs.kafka?.transactionalId ?? 'millrace'
    const work = `${transactionalId}-import-${identityOf(log, made.topics)}`
    const writer = await KafkaWriter.open(
      {
        connection: kafkaConnection(config.kafka, folder, logger),
        work: options.again ? `${work}-${uniqueName()}` : work,
        instance: uniqueName(),
        topics: made.topics,
        compression: config.outputs.kafka?.compression ?? 'none',
        maxBatchBytes: config.outputs.kafka?.maxMessageBytes ?? 900_000,
        logger,
        clock: systemClock,
      },
      stop,
    )
    closers.push(() => writer.close())
    const warn = warnOfRetention(await options.retentionMs(made.topics), logger)
    const { names, next } = await openAt(source, writer.begun)
    made.begin(new Map(made.topics.map(topic => [topic, writer.partitionsOf(topic)])), names.length)
    const result: TopicsImport = {
      messages: 0,
      before: Number(next.reduce((sum, offset) => sum + offset, 0n)),
      corrupt: 0,
      topics: {},
    }
    let chunk: AddressedMessage[] = []
    const write = async () => {
      const places = names.map((partition, index) => ({ partition, next: next[index] ?? 0n }))
      await writer.write(chunk, places)
      chunk = []
      onProgress(result.messages, source.progress() ?? 0)
    }
    for (let batch = await source.next(); batch !== undefined; batch = await source.next()) {
      for (const record of batch) {
        next[record.partition] = record.offset + 1n
        const message = isCorrupt(record) ? undefined : await made.message(record)
        if (message === undefined) {
          result.corrupt++
          continue
        }
        warn(message)
        chunk.push(message)
        result.messages++
        result.topics[message.topic] = (result.topics[message.topic] ?? 0) + 1
      }
      if (chunk.length >= CHUNK) await write()
      if (stop?.aborted === true) break
    }
    if (chunk.length > 0) await write()
    return result
  })
}

const isCorrupt = ({ outcome }: SourceRecord) => outcome.kind === 'reject' && outcome.reason === 'corrupt-block'

/** The one that the configuration names. */
function theTopic({ config, file }: LoadedConfig): string {
  const named = (config.source.kafka?.topics ?? []).filter(topic => !topic.startsWith('/'))
  const [topic] = named
  if (topic !== undefined && named.length === 1) return topic
  throw new MillraceError(
    'USAGE',
    `source.kafka of ${file} names ${named.length} topics: say with --topic which one the events go to`,
  )
}

/** Opened once to hear the names of its partitions, and then where an earlier import stopped. */
async function openAt(source: AvroFileSource, begun: ReadonlyMap<string, bigint>) {
  await source.open([])
  const names = [...source.partitions]
  const next = names.map(name => begun.get(name) ?? 0n)
  await source.open(next)
  return { names, next }
}

/** Names a log by its beginning, and where it goes: a repetition of the same work is known by it. */
function identityOf(log: string, topics: readonly string[]): string {
  const hash = createHash('sha256').update(topics.join())
  const folders = readdirSync(log, { withFileTypes: true }).flatMap(entry => (entry.isDirectory() ? [entry.name] : []))
  for (const folder of ['', ...folders.sort()]) {
    const first = readdirSync(join(log, folder))
      .filter(name => name.endsWith('.avro') && name !== 'truth.avro')
      .sort()[0]
    if (first !== undefined) hash.update(`${folder}/${first}`).update(headOf(join(log, folder, first)))
  }
  return hash.digest('hex').slice(0, 16)
}

function headOf(file: string): Buffer {
  const head = Buffer.alloc(HEAD_BYTES)
  const descriptor = openSync(file, 'r')
  try {
    return head.subarray(0, readSync(descriptor, head, 0, HEAD_BYTES, 0))
  } finally {
    closeSync(descriptor)
  }
}

/** Said once a topic: a broker removes what is older than the topic keeps, however new it is there. */
function warnOfRetention(retention: ReadonlyMap<string, number>, logger: Log): (message: AddressedMessage) => void {
  const nowMs = systemClock.nowMs()
  const said = new Set<string>()
  return function warn({ topic, timestamp }) {
    const keptMs = retention.get(topic) ?? -1
    if (keptMs < 0 || said.has(topic) || Number(timestamp) >= nowMs - keptMs) return
    said.add(topic)
    logger.warn(
      { topic, 'retention.ms': keptMs, timestamp: new Date(Number(timestamp)).toISOString() },
      'messages are older than the topic keeps them: the broker will remove them soon; set retention.ms=-1',
    )
  }
}

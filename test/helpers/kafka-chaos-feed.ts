/**
 * A simulated shop's log on its way to topics while faults happen: visits to one topic, profiles to another, each record
 * framed by the schema of its type. Chunks whose answer was lost are sent again, so records may be there twice, and
 * others never; what counts is what an independent reader finds in the topics afterwards.
 *
 * With each outage of the registry the writer goes on with schemas that no reader has seen yet. Now and then comes a
 * value that is no record, a schema that nobody has registered, a tombstone.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type avro from 'avsc'
import { Kafka, logLevel, type Producer } from 'kafkajs'
import { EVENT_KINDS, type EventKind } from '../../src/domain/event.js'
import { simulateShop } from '../../src/simulate/simulate.js'
import type { LogWriter } from '../../src/sink/sink.js'
import { idAwareType } from '../../src/std/avro-long.js'
import { partitionOf } from '../../src/std/murmur2.js'
import { readSchemaFile } from '../../src/std/schema-file.js'
import { register } from './kafka-shop.js'

export interface FeedOptions {
  seed: number
  events: number
  partitions: number
  topics: Record<'visits' | 'profiles', string>
  /** Versions of each schema. */
  versions: number
}

interface Entry {
  topic: string
  partition: number
  key: string
  kind: EventKind
  record: Record<string, unknown>
}

const CHUNK = 100
const ODD_EVERY = 997
const NO_SCHEMA = 2_000_000_000

export class ChaosFeed {
  readonly #options: FeedOptions
  readonly #entries: Entry[]
  /** By version, then by kind: schema id and encoder. */
  readonly #encoders: Record<EventKind, { id: number; type: avro.Type }>[]
  readonly #producer: Producer
  version = 0
  sent = 0
  /** Chunks that had to be sent again. */
  retries = 0
  #isClosed = false

  private constructor(options: FeedOptions, parts: { entries: Entry[]; encoders: never[]; producer: Producer }) {
    this.#options = options
    this.#entries = parts.entries
    this.#encoders = parts.encoders
    this.#producer = parts.producer
  }

  static async open(brokers: readonly string[], registry: string, options: FeedOptions): Promise<ChaosFeed> {
    const entries = await simulated(options)
    const encoders: Record<string, { id: number; type: avro.Type }>[] = []
    for (let version = 0; version < options.versions; version++) {
      const byKind: Record<string, { id: number; type: avro.Type }> = {}
      for (const kind of EVENT_KINDS) {
        const schema = versionOf(kind, version)
        byKind[kind] = { id: await register(registry, `chaos-${kind}`, schema), type: idAwareType(schema) }
      }
      encoders.push(byKind)
    }
    const producer = new Kafka({
      brokers: [...brokers],
      clientId: 'chaos-feed',
      logLevel: logLevel.NOTHING,
      retry: { retries: 3 },
    }).producer({ createPartitioner: () => args => args.message.partition ?? 0 })
    await producer.connect()
    return new ChaosFeed(options, { entries, encoders: encoders as never[], producer })
  }

  get total(): number {
    return this.#entries.length
  }

  /** Sends the log as far as `share` (0..1) allows, which may grow; resolves at its end, or when it is closed. */
  async run(share: () => number, pauseMs: () => number): Promise<void> {
    while (this.sent < this.total && !this.#isClosed) {
      if (this.sent >= share() * this.total) {
        await sleep(50)
        continue
      }
      await this.#send(this.#entries.slice(this.sent, this.sent + CHUNK))
      this.sent += CHUNK
      await sleep(pauseMs())
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#producer.disconnect().catch(() => undefined)
  }

  async #send(chunk: readonly Entry[]): Promise<void> {
    const topicMessages = Object.values(this.#options.topics).map(topic => ({
      topic,
      messages: chunk.filter(entry => entry.topic === topic).map((entry, index) => this.#message(entry, index)),
    }))
    const filled = topicMessages.filter(({ messages }) => messages.length > 0)
    while (!this.#isClosed) {
      try {
        await this.#producer.sendBatch({ acks: -1, topicMessages: filled })
        return
      } catch {
        this.retries++
        await sleep(500)
      }
    }
  }

  #message({ kind, record, partition, key }: Entry, index: number) {
    const number = this.sent + index
    const odd = number % ODD_EVERY === 1 ? Math.floor(number / ODD_EVERY) % 3 : -1
    if (odd === 0) return { key, partition, value: Buffer.from('not a record') }
    if (odd === 1) return { key, partition, value: null }
    const encoder = this.#encoders[this.version]?.[kind]
    if (encoder === undefined) throw new RangeError(`there is no version ${this.version} of ${kind}`)
    const { id, type } = encoder
    const frame = Buffer.alloc(5)
    frame.writeUInt32BE(odd === 2 ? NO_SCHEMA : id, 1)
    return { key, partition, value: Buffer.concat([frame, type.toBuffer(record)]) }
  }
}

async function simulated({ seed, events, partitions, topics }: FeedOptions): Promise<Entry[]> {
  const entries: Entry[] = []
  const writer: LogWriter = {
    write(partition, kind, fields) {
      const record = fields as unknown as Record<string, unknown>
      const isProfile = kind === 'item' || kind === 'user'
      const key = String(isProfile ? record.id : record.user)
      // Records that nobody could send, such as an item's id of a megabyte, are the business of other tests.
      if (key.length > 1000 || String(record.item).length > 1000) return
      if (isProfile) entries.push({ topic: topics.profiles, partition: partitionOf(key, 2), key, kind, record })
      else entries.push({ topic: topics.visits, partition: partition % partitions, key, kind, record })
    },
    close: () => ({ records: [], bytes: 0, segments: 0 }),
  }
  await simulateShop(
    { seed, events, users: 600, items: 300, days: 20, partitions, bots: 0.01, malformed: 0.002 },
    writer,
  )
  return entries
}

/** The schema that we read by, with fields that we do not know. */
function versionOf(kind: EventKind, version: number): ReturnType<typeof readSchemaFile> {
  const schema = structuredClone(readSchemaFile(kind)) as { fields: object[] }
  for (let number = 1; number <= version; number++)
    schema.fields.push({ name: `note${number}`, type: 'int', default: 0 })
  return schema as ReturnType<typeof readSchemaFile>
}

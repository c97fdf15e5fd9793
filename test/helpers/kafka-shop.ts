/** A learner with topics at both ends, as a user has it: topics made by the program, a configuration, records to write. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import avro from 'avsc'
import { Kafka, logLevel, type Producer } from 'kafkajs'
import { stringify } from 'yaml'
import type { EventKind } from '../../src/domain/event.js'
import { idAwareType } from '../../src/std/avro-long.js'
import { readSchemaFile } from '../../src/std/schema-file.js'
import { type Broker, until } from './kafka.js'
import { millrace, type Running, start } from './process.js'
import { readTopic } from './read-topic.js'
import { smallConfig } from './small-config.js'

/** Magic 0 and a schema id. */
const FRAME_BYTES = 5
const START_MS = 1_704_067_200_000

export interface ShopOptions {
  name: string
  broker: Broker
  /** Base address. */
  registry: string
  /** Input topics by partitions; `config` for all of them. */
  inputs: Record<string, number>
  reading?: Record<string, unknown>
  checkpoint?: Record<string, unknown>
  /** Keys of `outputs`, and of the configuration. */
  publishing?: Record<string, unknown>
  learner?: Record<string, unknown>
}

export class KafkaShop {
  readonly file: string
  readonly folder: string
  readonly #options: ShopOptions
  readonly #outputs: Record<string, string>
  readonly #ids = new Map<EventKind, number>()
  readonly #producer: Producer
  #running: Running | undefined

  private constructor(options: ShopOptions, folder: string, outputs: Record<string, string>, producer: Producer) {
    this.#options = options
    this.folder = folder
    this.file = join(folder, 'millrace.yaml')
    this.#outputs = outputs
    this.#producer = producer
  }

  /** The input topics' own settings are the test's business: those that are there already are left as they are. */
  static async open(t: TestContext, options: ShopOptions): Promise<KafkaShop> {
    const { name, broker, registry, inputs, reading = {}, checkpoint = {}, publishing = {}, learner = {} } = options
    const folder = mkdtempSync(join(tmpdir(), 'millrace-shop-'))
    const outputs = Object.fromEntries(
      ['predictions', 'recommendations', 'metrics', 'snapshots', 'journal', 'deadLetters'].map(output => [
        output,
        `${name}.out.${output}`,
      ]),
    )
    const client = new Kafka({ brokers: broker.brokers, logLevel: logLevel.NOTHING, retry: { retries: 20 } })
    const producer = client.producer({ createPartitioner: () => args => args.message.partition ?? 0 })
    const shop = new KafkaShop(options, folder, outputs, producer)
    t.after(async () => {
      shop.#running?.child.kill('SIGKILL')
      await producer.disconnect().catch(() => undefined)
      rmSync(folder, { recursive: true, force: true })
    })
    writeFileSync(
      shop.file,
      stringify({
        ...smallConfig,
        name,
        kafka: { brokers: broker.brokers, registry: { url: registry } },
        source: {
          kafka: { topics: Object.keys(inputs), group: name, idleTimeout: '500ms', sessionTimeout: '6s', ...reading },
        },
        batch: { maxExamples: 128, tick: '1h', linger: '100ms' },
        // From its beginning on everything is learned again after a kill.
        checkpoint: { path: 'checkpoints', everyEvents: 1_000_000_000, every: '1d', ...checkpoint },
        ...learner,
        outputs: { path: 'out', ...publishing, kafka: { ...outputs, transactionalId: name, commitEvery: '100ms' } },
      }),
    )
    await producer.connect()
    const admin = await broker.admin()
    const there = new Set(await admin.listTopics())
    for (const [topic, partitions] of Object.entries(inputs))
      if (!there.has(topic)) await broker.createTopic(topic, { partitions })
    await until('the output topics are created', async () => {
      const { code, stderr } = await millrace(['topics', 'create', shop.file])
      if (code !== 0) throw new Error(stderr)
      return true
    })
    return shop
  }

  /** Impressions of a minute after the other, named by their number. */
  impressions(count: number, first = 0, stepMs = 60_000): { eventId: string; [field: string]: unknown }[] {
    return Array.from({ length: count }, (_, index) => ({
      ...this.stamp(`i${first + index}`, (first + index) * stepMs),
      user: `u${(first + index) % 10}`,
      item: `i${(first + index) % 7}`,
      requestId: `r${first + index}`,
      position: 1,
    }))
  }

  stamp(eventId: string, afterMs: number): { eventId: string; eventTime: number } {
    return { eventId, eventTime: START_MS + afterMs }
  }

  /** id: another schema's than the one that these are written by. bare: without a frame. */
  async send(
    topic: string,
    kind: EventKind,
    records: readonly object[],
    {
      partition = 0,
      id,
      bare = false,
      keyOf = () => 'k',
    }: { partition?: number; id?: number; bare?: boolean; keyOf?(record: never): string } = {},
  ): Promise<void> {
    const schemaId = bare ? -1 : (id ?? (await this.#idOf(kind)))
    const messages = records.map(record => ({
      partition,
      key: keyOf(record as never),
      value: bare ? framed(0, kind, record).subarray(FRAME_BYTES) : framed(schemaId, kind, record),
    }))
    await this.#producer.send({ topic, messages, acks: -1 })
  }

  async sendRaw(topic: string, value: Buffer | null, partition = 0): Promise<void> {
    await this.#producer.send({ topic, messages: [{ partition, key: 'k', value }], acks: -1 })
  }

  /** Registers a schema of this kind, with a field more so that it is a new one; its id. */
  register(kind: EventKind, field: string): Promise<number> {
    const schema = structuredClone(readSchemaFile(kind)) as { fields: object[] }
    schema.fields.push({ name: field, type: 'int', default: 0 })
    return register(this.#options.registry, `${this.#options.name}-${kind}`, schema)
  }

  start(...flags: string[]): Running {
    this.#running = start(['run', this.file, '--json', ...flags])
    return this.#running
  }

  /** Until the group stands at the ends of the topics. */
  async learned(run: Running): Promise<void> {
    const { name, broker, inputs } = this.#options
    const admin = await broker.admin()
    await until('everything is learned', async () => {
      if (run.ended) throw new Error(`the program has ended: ${run.stderr.slice(-2000)}`)
      const committed = await admin.fetchOffsets({ groupId: name, topics: Object.keys(inputs) })
      for (const { topic, partitions } of committed) {
        const ends = await admin.fetchTopicOffsets(topic)
        const next = new Map(partitions.map(({ partition, offset }) => [partition, offset]))
        if (ends.some(({ partition, high }) => (next.get(partition) ?? '-1') !== high)) return false
      }
      return true
    })
  }

  /** Event ids of the predictions, as others read them, sorted. */
  async predicted(): Promise<string[]> {
    const records = (await this.read('predictions')) as { eventId: string }[]
    return records.map(({ eventId }) => eventId).sort()
  }

  async read(output: 'predictions' | 'journal' | 'metrics'): Promise<unknown[]> {
    const schema = { predictions: 'prediction', metrics: 'metric', journal: 'journal' }[output]
    const type = avro.Type.forSchema(readSchemaFile(schema) as never)
    const messages = await readTopic(this.#options.broker.brokers, this.#outputs[output] ?? '', { settled: true })
    return messages.flatMap(({ value }) => (value === null ? [] : [type.fromBuffer(value.subarray(5))]))
  }

  /** Place and reason of each dead letter. */
  async deadLetters(): Promise<string[]> {
    const messages = await readTopic(this.#options.broker.brokers, this.#outputs.deadLetters ?? '', { settled: true })
    return messages.map(({ headers }) => {
      const of = (name: string) => headers.find(([header]) => header === `__connect.errors.${name}`)?.[1]
      return `${of('topic')}/${of('partition')}/${of('offset')} ${of('exception.class.name')}`
    })
  }

  async #idOf(kind: EventKind): Promise<number> {
    const known = this.#ids.get(kind)
    if (known !== undefined) return known
    const id = await register(this.#options.registry, `events-${kind}`, readSchemaFile(kind))
    this.#ids.set(kind, id)
    return id
  }
}

function framed(id: number, kind: EventKind, record: object): Buffer {
  const frame = Buffer.alloc(5)
  frame.writeUInt32BE(id, 1)
  return Buffer.concat([frame, idAwareType(readSchemaFile(kind)).toBuffer(record)])
}

export async function register(registry: string, subject: string, schema: unknown): Promise<number> {
  const response = await fetch(`${registry}/subjects/${subject}/versions`, {
    method: 'POST',
    headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
    body: JSON.stringify({ schema: JSON.stringify(schema) }),
  })
  const { id, message } = (await response.json()) as { id?: number; message?: string }
  if (id === undefined) throw new Error(`${subject} could not be registered: ${message}`)
  return id
}

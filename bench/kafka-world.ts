/** A broker and a registry of the benchmark's own, and the prepared log; started with the first row that needs them. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { registerSchema } from '../src/decode/register-schemas.js'
import { SchemaRegistry } from '../src/decode/registry.js'
import { systemClock } from '../src/std/clock.js'
import { packageRoot } from '../src/std/package-root.js'
import { readSchemaFile } from '../src/std/schema-file.js'
import { type Broker, kafkaSkip, startBroker, startRegistry } from '../test/helpers/kafka.js'
import { produceLog, type Topics } from './kafka-workload.js'
import { type Context, NotMeasured } from './row.js'

export const PARTITIONS = 4
export const benchFolder = join(packageRoot(), '.data/bench/kafka')
/** As a broker of this size would be run; the tests make do with less. */
const BROKER_HEAP = '1g'

export interface WorldOptions {
  /** A Python with PyTorch. */
  python: string
  /** Cache folder of this project. */
  cache: string
  /** Folder of the peer's script. */
  peers?: string | undefined
  /** Events of the prepared log. */
  events?: number | undefined
}

export interface KafkaWorld {
  options: WorldOptions
  broker: Broker
  /** Addresses, as clients take them. */
  brokers: string
  brokerPid: number
  registry: string
  /** Of ratings in topics of ours. */
  schemaId: number
  log: Topics
  events: number
  /** A name that was not used before. */
  fresh(what: string): string
  stop(): Promise<void>
}

export async function startWorld({ quick, say }: Context, options: WorldOptions): Promise<KafkaWorld> {
  if (kafkaSkip !== false) throw new NotMeasured(kafkaSkip)
  say('starting a broker and a registry')
  const broker = await startBroker({ heap: BROKER_HEAP, brief: false })
  try {
    const registry = await startRegistry()
    const log = { ours: 'bench.events', peer: 'bench.peer-events' }
    for (const topic of Object.values(log)) await broker.createTopic(topic, { partitions: PARTITIONS })
    const schemaId = await registerRating(registry.url, log.ours)
    const events = options.events ?? (quick ? 60_000 : 600_000)
    say(`producing ${events.toLocaleString('en')} events to two topics`)
    await produceLog(broker.brokers, log, { events, partitions: PARTITIONS, schemaId })
    let count = 0
    return {
      options,
      broker,
      brokers: broker.brokers.join(','),
      brokerPid: Number(readFileSync(join(broker.dir, 'node0/pid'), 'utf8')),
      registry: registry.url,
      schemaId,
      log,
      events,
      fresh: what => `${what}-${++count}`,
      async stop() {
        await registry.stop()
        await broker.stop()
      },
    }
  } catch (error) {
    await broker.stop()
    throw error
  }
}

async function registerRating(url: string, topic: string): Promise<number> {
  const schemas = new SchemaRegistry({ url, clock: systemClock, onState() {} })
  try {
    return await registerSchema(schemas.http, `${topic}-value`, JSON.stringify(readSchemaFile('rating')))
  } finally {
    schemas.close()
  }
}

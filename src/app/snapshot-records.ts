/** The records of the snapshot output that a configuration names, in their order: from a folder of files or from a topic. */
import { relative, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { kafkaConnection } from '../config/kafka-connection.js'
import type { LoadedConfig } from '../config/load.js'
import { SchemaRegistry } from '../decode/registry.js'
import { MillraceError } from '../domain/errors.js'
import { type Log, silentLog } from '../observe/log.js'
import type { FeedHandlers, SnapshotFeed } from '../serve/feed.js'
import type { SnapshotRecord } from '../sink/output-records.js'
import { createSnapshotReaders, followSnapshotFiles } from '../source/snapshot-files.js'
import { systemClock } from '../std/clock.js'
import { uniqueName } from '../std/unique-name.js'

/** Magic byte and schema id before the Avro body. */
const FRAME_BYTES = 5
/** Between two looks at a folder that has nothing new. */
const POLL_MS = 100
/** So much of a topic waits to be applied before no more is fetched. */
const WAITING_BYTES = 1 << 26

type Kafka = LoadedConfig['config']['kafka']

/** path: a folder of snapshots, whatever is configured. */
export function snapshotPlace({ config, folder }: LoadedConfig, path?: string): SnapshotFeed {
  const { outputs, kafka } = config
  if (outputs.kafka === undefined || path !== undefined) {
    const place = path === undefined ? resolve(folder, outputs.path, 'snapshots') : resolve(path)
    return {
      name: relative(process.cwd(), place),
      read: take => readFolder(place, take),
      follow: (handlers, stop) => followSnapshotFiles(place, handlers, () => sleep(POLL_MS), stop),
    }
  }
  const topic = outputs.kafka.snapshots
  return {
    name: `topic ${topic}`,
    read: take => readTopic(kafka, folder, topic, take),
    follow: (handlers, stop) => followTopic(kafka, folder, topic, silentLog, handlers, stop),
  }
}

type Take = Parameters<SnapshotFeed['read']>[0]

async function readFolder(path: string, take: Take): Promise<void> {
  const stop = new AbortController()
  const handlers = { take, caughtUp: () => stop.abort(), restarted() {} }
  await followSnapshotFiles(path, handlers, async () => {}, stop.signal)
}

/** Messages of the topic → records; undefined: a tombstone. */
function createFrameReader(kafka: Kafka, topic: string) {
  if (kafka.registry === undefined)
    throw new MillraceError('CONFIG_INVALID', 'kafka.registry is needed: records are framed with the ids of schemas')
  const registry = new SchemaRegistry({ ...kafka.registry, clock: systemClock })
  const readerOf = createSnapshotReaders()
  return {
    async read(value: Buffer | null): Promise<SnapshotRecord | undefined> {
      if (value === null || value[0] !== 0 || value.length < FRAME_BYTES) return undefined
      const answer = await registry.schema(value.readUInt32BE(1))
      if (answer.kind === 'unknown') throw new MillraceError('REGISTRY_FAILED', `${topic}: ${answer.message}`)
      return readerOf(answer.schema)(value, FRAME_BYTES).value
    },
    close: () => registry.close(),
  }
}

async function readTopic(kafka: Kafka, folder: string, topic: string, take: Take): Promise<void> {
  const frames = createFrameReader(kafka, topic)
  // Loading the client takes a tenth of a second, which readers of files need not wait for.
  const { readWholeTopic } = await import('../source/kafka-topic.js')
  const { registerCodecs } = await import('../sink/kafka-codecs.js')
  registerCodecs()
  const connection = kafkaConnection(kafka, folder, silentLog)
  try {
    await readWholeTopic({ connection, topic, groupId: `millrace-snapshots-${uniqueName()}` }, async ({ value }) => {
      // Views would keep all that was fetched with it.
      const record = await frames.read(value === null ? null : Buffer.from(value))
      if (record !== undefined) await take(record)
    })
  } finally {
    frames.close()
  }
}

/** Records are applied beside the fetching, whose thread must send heartbeats. */
async function followTopic(
  kafka: Kafka,
  folder: string,
  topic: string,
  logger: Log,
  { take, caughtUp }: FeedHandlers,
  stop: AbortSignal,
): Promise<void> {
  const frames = createFrameReader(kafka, topic)
  const { readKafkaRange } = await import('../source/kafka-range.js')
  const { registerCodecs } = await import('../sink/kafka-codecs.js')
  registerCodecs()
  let waitingBytes = 0
  let work = Promise.resolve()
  let failure: unknown
  const failed = new AbortController()
  const next = (one: () => Promise<void>) => {
    work = work
      .then(async () => {
        if (failure === undefined && !stop.aborted) await one()
      })
      .catch(error => {
        failure = error
        failed.abort()
      })
  }
  const reader = {
    begin() {},
    message(_partition: number, _offset: bigint, { value }: { value: Buffer | Uint8Array | string | null }) {
      if (value === null) return
      const bytes = Buffer.from(value as Uint8Array)
      waitingBytes += bytes.length
      next(async () => {
        const record = await frames.read(bytes)
        if (record !== undefined) await take(record)
        waitingBytes -= bytes.length
      })
    },
    get isFull() {
      return waitingBytes > WAITING_BYTES
    },
    drain: () => work,
  }
  const options = {
    connection: kafkaConnection(kafka, folder, logger),
    topics: [topic],
    group: `millrace-snapshots-${uniqueName()}`,
    from: 'earliest',
    until: 'latest',
    onLostOffset: 'jump',
    sessionTimeout: 30_000,
    onCaughtUp: () => next(caughtUp),
    logger,
    clock: systemClock,
  } as const
  try {
    await readKafkaRange(options, reader, AbortSignal.any([stop, failed.signal]))
    await work
    if (failure !== undefined) throw failure
  } finally {
    frames.close()
  }
}

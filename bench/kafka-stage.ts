/**
 * A part of the path by itself, in a process of its own: `kafka-stage.js consume|main EVENTS KEY=VALUE...` prints one
 * JSON object. consume: records are fetched, decoded and merged, and that is all. main: everything that the main thread
 * does in a run, exactly-once delivery included, with a learner that answers at once. Timed from the first records on.
 */
import { join } from 'node:path'
import { loadChecked } from '../src/app/load-checked.js'
import { learnLog } from '../src/app/session.js'
import { kafkaConnection } from '../src/config/kafka-connection.js'
import type { LoadedConfig } from '../src/config/load.js'
import { createMessageDecoder } from '../src/decode/message-decoder.js'
import { createDecoderFactory } from '../src/decode/record-decoder.js'
import { SchemaRegistry } from '../src/decode/registry.js'
import { silentLog } from '../src/observe/log.js'
import { registerCodecs } from '../src/sink/kafka-codecs.js'
import { KafkaSource } from '../src/source/kafka.js'
import { systemClock } from '../src/std/clock.js'
import { packageRoot } from '../src/std/package-root.js'
import { startInstantLearner } from './instant-learner.js'
import { KAFKA_CONFIG } from './kafka-learner.js'
import type { StageResult } from './stage.js'

/** onRecords: how many have been handled so far. */
type Stage = (loaded: LoadedConfig, onRecords: (records: number) => void, stop: AbortController) => Promise<void>

const consume: Stage = async ({ config, folder }, onRecords, stop) => {
  const { kafka: topics } = config.source
  if (topics === undefined) throw new Error('source.kafka is not set')
  registerCodecs()
  const registry = new SchemaRegistry({ url: '', ...config.kafka.registry, clock: systemClock, onState() {} })
  const source = new KafkaSource({
    connection: kafkaConnection(config.kafka, folder, silentLog),
    ...topics,
    maxFuture: config.join.maxFuture,
    decoder: createMessageDecoder({
      decoderFor: createDecoderFactory(config.source),
      framing: topics.framing,
      registry,
    }),
    logger: silentLog,
    clock: systemClock,
    until: 'latest',
  })
  await source.open([])
  let records = 0
  while (!stop.signal.aborted) {
    const batch = await source.next()
    if (batch === undefined) break
    records += batch.length
    onRecords(records)
  }
  await source.close()
  registry.close()
}

const main: Stage = async (loaded, onRecords, stop) => {
  await learnLog(
    {
      loaded,
      log: '',
      outputs: 'configured',
      resume: false,
      logger: silentLog,
      clock: systemClock,
      onProgress: onRecords,
      startLearner: startInstantLearner,
    },
    stop.signal,
  )
}

const [, , name = '', events = '0', ...settings] = process.argv
const stages: Record<string, Stage> = { consume, main }
const loaded = loadChecked(join(packageRoot(), KAFKA_CONFIG), { set: settings })
const stop = new AbortController()
let start = performance.now()
let cpu: NodeJS.CpuUsage | undefined
let first = 0
let last = 0
await stages[name]?.(
  loaded,
  records => {
    if (records === 0) return
    if (cpu === undefined) {
      start = performance.now()
      cpu = process.cpuUsage()
      first = records
    }
    last = records
    if (records >= Number(events)) stop.abort()
  },
  stop,
)
const { user, system } = process.cpuUsage(cpu)
const result: StageResult = {
  records: last - first,
  seconds: (performance.now() - start) / 1000,
  cpuSeconds: (user + system) / 1e6,
}
console.log(JSON.stringify(result))

/**
 * A part of a replay by itself, in a process of its own: `stage.js decode|main KEY=VALUE...` prints one JSON object.
 * decode: records are read, decoded and merged, and that is all. main: everything that the main thread does in a replay,
 * outputs and its share of the checkpoints included, with a learner that answers at once.
 */
import { resolve } from 'node:path'
import { learnLog } from '../src/app/session.js'
import type { LoadedConfig } from '../src/config/load.js'
import { createDecoderFactory } from '../src/decode/record-decoder.js'
import { silentLog } from '../src/observe/log.js'
import { AvroFileSource } from '../src/source/avro-file.js'
import { systemClock } from '../src/std/clock.js'
import { startInstantLearner } from './instant-learner.js'
import { loadReplay } from './shop.js'

export interface StageResult {
  records: number
  seconds: number
  cpuSeconds: number
}

const stages = { decode, main }

async function decode({ config, folder }: LoadedConfig): Promise<number> {
  const source = new AvroFileSource({
    path: resolve(folder, config.source.log),
    decoderFor: createDecoderFactory(config.source),
  })
  await source.open([])
  let records = 0
  for (let batch = await source.next(); batch !== undefined; batch = await source.next()) records += batch.length
  await source.close()
  return records
}

async function main(loaded: LoadedConfig): Promise<number> {
  const result = await learnLog(
    {
      loaded,
      log: resolve(loaded.folder, loaded.config.source.log),
      outputs: 'files',
      resume: false,
      logger: silentLog,
      clock: systemClock,
      onProgress() {},
      startLearner: startInstantLearner,
    },
    new AbortController().signal,
  )
  return result.records
}

const [, , name, ...settings] = process.argv
const loaded = loadReplay(settings)
const start = performance.now()
const cpu = process.cpuUsage()
const records = await stages[name as keyof typeof stages](loaded)
const { user, system } = process.cpuUsage(cpu)
const result: StageResult = {
  records,
  seconds: (performance.now() - start) / 1000,
  cpuSeconds: (user + system) / 1e6,
}
console.log(JSON.stringify(result))

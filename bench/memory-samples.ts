/**
 * A replay that watches its own memory, in a process of its own: `memory-samples.js KEY=VALUE...` prints one JSON line
 * with each answer to a request for metrics (every 10,000 records).
 */
import { resolve } from 'node:path'
import { learnLog } from '../src/app/session.js'
import { WorkerLearner } from '../src/learn/worker-client.js'
import { silentLog } from '../src/observe/log.js'
import type { PipelineParts } from '../src/pipeline/pipeline.js'
import { systemClock } from '../src/std/clock.js'
import { loadReplay } from './shop.js'

export interface MemorySample {
  records: number
  /** Resident memory of the process. */
  rssBytes: number
  /** Heap of the main thread in use. */
  heapBytes: number
  /** Embedding tables, and rows in them. */
  tableBytes: number
  tableRows: number
  /** Counters, recent items and profiles, and rows in them. */
  keyedBytes: number
  keyedRows: number
  /** Examples that wait for their labels. */
  waiting: number
}

const loaded = loadReplay(process.argv.slice(2))
let parts: PipelineParts | undefined
await learnLog(
  {
    loaded,
    log: resolve(loaded.folder, loaded.config.source.log),
    outputs: 'files',
    resume: false,
    logger: silentLog,
    clock: systemClock,
    onProgress() {},
    async startLearner(config) {
      const learner = await WorkerLearner.start(config)
      const ask = learner.metrics.bind(learner)
      learner.metrics = async () => {
        const answer = await ask()
        if (parts !== undefined) console.log(JSON.stringify(sample(parts, answer.tables)))
        return answer
      }
      return learner
    },
    onWired(wired) {
      parts = wired
    },
  },
  new AbortController().signal,
)

function sample({ position, features, columns }: PipelineParts, tables: { rows: number; bytes: number }): MemorySample {
  const keyed = features.stats().tables
  const { rss, heapUsed } = process.memoryUsage()
  return {
    records: position.records,
    rssBytes: rss,
    heapBytes: heapUsed,
    tableBytes: tables.bytes,
    tableRows: tables.rows,
    keyedBytes: keyed.reduce((sum, { bytes }) => sum + bytes, 0),
    keyedRows: keyed.reduce((sum, { entities }) => sum + entities, 0),
    waiting: columns.used,
  }
}

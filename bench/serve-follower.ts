/** A follower in this process whose versions are handed to it. */
import { setImmediate as pause } from 'node:timers/promises'
import { createOnnxBackend } from '../src/backend/onnx.js'
import type { LoadedConfig } from '../src/config/load.js'
import { silentLog } from '../src/observe/log.js'
import type { FeedHandlers } from '../src/serve/feed.js'
import { Follower } from '../src/serve/follower.js'
import { ReplicaPair } from '../src/serve/replica-pair.js'
import type { SnapshotRecord } from '../src/sink/output-records.js'
import { systemClock } from '../src/std/clock.js'

export interface HandedFollower {
  follower: Follower
  /** Resolves when both replicas have it. */
  give(records: readonly SnapshotRecord[]): Promise<void>
}

export async function followByHand(loaded: LoadedConfig): Promise<HandedFollower> {
  let handlers: FeedHandlers | undefined
  const feed = {
    name: 'by hand',
    // Nobody goes back to a version here.
    async read() {},
    follow(given: FeedHandlers, stop: AbortSignal): Promise<void> {
      handlers = given
      return new Promise(resolve => stop.addEventListener('abort', () => resolve()))
    },
  }
  const backend = await createOnnxBackend({ threads: 1 })
  const deps = { loaded, backend, feed, logger: silentLog, clock: systemClock, pause: () => pause() }
  const pair = await ReplicaPair.create(deps)
  pair.start()
  await handlers?.caughtUp()
  return {
    follower: new Follower({ config: loaded.config, pair, nowMs: () => 0, close: () => backend.close() }),
    async give(records) {
      for (const record of records) await handlers?.take(record)
    },
  }
}

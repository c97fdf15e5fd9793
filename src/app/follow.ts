/** Composition root of a follower: configuration → where the versions lie, what computes, and who answers. */
import { setImmediate as pause } from 'node:timers/promises'
import { createBackend } from '../backend/choose.js'
import { tensorflowEnvironment } from '../backend/tensorflow-environment.js'
import { type LoadedConfig, setEnvironment } from '../config/load.js'
import { type Log, silentLog } from '../observe/log.js'
import { Follower } from '../serve/follower.js'
import { ReplicaPair } from '../serve/replica-pair.js'
import { systemClock } from '../std/clock.js'
import { loadChecked } from './load-checked.js'
import { snapshotPlace } from './snapshot-records.js'

export interface FollowOptions {
  /** Keys to change, such as 'outputs.path=out'; stronger than the environment and the file. */
  set?: readonly string[]
  /** Folder of the snapshots. Default: where the configuration's learner publishes them, a folder or a topic. */
  snapshots?: string
  /** Stay at this version instead of the newest one, until `unpin()`. */
  pin?: number | undefined
  logger?: Log
}

/**
 * Follows the versions that the learner of a configuration file publishes, and answers with the newest one, in this
 * process. It returns before the first version has come: `await follower.ready()`. To be closed in the end.
 *
 * The configuration must be the learner's: what decides the model (tasks, features, model and so on) is compared by hash,
 * and versions of another one are refused. Throws MillraceError: CONFIG_INVALID, BACKEND_UNAVAILABLE.
 */
export function follow(file: string, options: FollowOptions = {}): Promise<Follower> {
  return followLoaded(loadChecked(file, { set: [...(options.set ?? [])] }), options)
}

export async function followLoaded(
  loaded: LoadedConfig,
  { snapshots, pin, logger = silentLog }: Omit<FollowOptions, 'set'>,
): Promise<Follower> {
  const { config } = loaded
  const feed = snapshotPlace(loaded, snapshots)
  setEnvironment(tensorflowEnvironment(config.backend.threads))
  const backend = await createBackend(config.backend)
  const pair = await ReplicaPair.create({
    loaded,
    backend,
    feed,
    logger,
    clock: systemClock,
    pause: () => pause(),
    pin,
  })
  pair.start()
  return new Follower({ config, pair, nowMs: () => systemClock.nowMs(), close: () => backend.close() })
}

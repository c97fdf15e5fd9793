/**
 * Two replicas of the model: one answers, the other is brought to the next version, a fraction of a millisecond at a
 * time, and when it is there, with the right checksum, they change places; then the first one catches up. So every answer
 * is by exactly one version, requests wait for a slice and never for a version, and a version that does not come out right
 * is never scored with. The price: the model lies in memory twice, and each version is applied twice.
 *
 * What can not be applied (a gap, damage) leaves what is held as it is, until the next full version.
 */
import type { Backend } from '../backend/backend.js'
import type { LoadedConfig } from '../config/load.js'
import { MillraceError } from '../domain/errors.js'
import type { SnapshotKind } from '../domain/state.js'
import type { Log } from '../observe/log.js'
import type { SnapshotRecord } from '../sink/output-records.js'
import { type IncompleteVersion, VersionAssembler, type WholeVersion } from '../snapshot/assembler.js'
import type { Clock } from '../std/clock.js'
import { runInSlices } from '../std/slices.js'
import type { SnapshotFeed } from './feed.js'
import { checkParts, Replica } from './replica.js'

/** So long a request waits for a version that is being applied, or for this share of the time that requests take. */
const SLICE_MS = 0.3
const SHARE = 0.15
const KEPT_VERSIONS = 100

/** starting: the output is read. waiting: no version can be scored with. gap: one can, and newer ones need a full one first. */
export type FollowerState = 'starting' | 'waiting' | 'following' | 'gap' | 'failed' | 'closed'

export interface FollowedVersion {
  version: number
  kind: SnapshotKind
  parent: number | null
  /** Stream time of the version, ms. */
  eventTimeMs: number
  checksum: string
  metrics: Record<string, number>
  /** What became of it: `taken`, or why it can not be had. */
  outcome: string
}

export interface ReplicaPairDeps {
  loaded: LoadedConfig
  backend: Backend
  feed: SnapshotFeed
  logger: Log
  clock: Clock
  /** Lets others have their turn. */
  pause(): Promise<unknown>
}

type Arrived = WholeVersion | IncompleteVersion

export class ReplicaPair {
  readonly #deps: ReplicaPairDeps
  readonly #assembler = new VersionAssembler()
  readonly #stop = new AbortController()
  readonly #versions: FollowedVersion[] = []
  #front: { replica: Replica; waiting: Arrived[] }
  #back: { replica: Replica; waiting: Arrived[] }
  #state: FollowerState = 'starting'
  #reason = ''
  #isCaughtUp = false
  #following: Promise<void> = Promise.resolve()
  #wake: (() => void)[] = []

  private constructor(deps: ReplicaPairDeps, replicas: [Replica, Replica]) {
    this.#deps = deps
    this.#front = { replica: replicas[0], waiting: [] }
    this.#back = { replica: replicas[1], waiting: [] }
  }

  static async create(deps: ReplicaPairDeps): Promise<ReplicaPair> {
    const { config } = deps.loaded
    const replicas = [await Replica.create(config, deps.backend), await Replica.create(config, deps.backend)] as const
    return new ReplicaPair(deps, [...replicas])
  }

  /** The one to ask, of which the version is whole and stays as it is until the answer; undefined: there is none yet. */
  get front(): Replica | undefined {
    return this.#front.replica.held === undefined ? undefined : this.#front.replica
  }

  get state(): FollowerState {
    return this.#state
  }

  /** Why it is in this state, for people. */
  get reason(): string {
    return this.#reason
  }

  /** Newest last. */
  get versions(): readonly FollowedVersion[] {
    return this.#versions
  }

  start(): void {
    const handlers = {
      take: (record: SnapshotRecord) => this.#take(record),
      caughtUp: async () => {
        this.#isCaughtUp = true
        await this.#advance()
        if (this.front === undefined && this.#state === 'starting') this.#enter('waiting', 'no full version has come')
      },
      restarted: () => {
        this.#isCaughtUp = false
      },
    }
    this.#following = this.#deps.feed.follow(handlers, this.#stop.signal).catch(error => {
      this.#deps.logger.error({ error: (error as Error).message }, 'versions can not be followed any more')
      this.#enter('failed', (error as Error).message)
    })
  }

  /** Resolves when a version can be scored with; SNAPSHOT_NOT_FOUND: it was closed or failed before. */
  async ready(): Promise<void> {
    while (this.front === undefined) {
      if (this.#state === 'failed' || this.#state === 'closed')
        throw new MillraceError('SNAPSHOT_NOT_FOUND', `${this.#deps.feed.name}: ${this.#reason}`)
      await new Promise<void>(resolve => this.#wake.push(resolve))
    }
  }

  /** Resolves with the reason when following has failed; never if it is closed before. */
  async failure(): Promise<string> {
    while (this.#state !== 'failed') await new Promise<void>(resolve => this.#wake.push(resolve))
    return this.#reason
  }

  async close(): Promise<void> {
    this.#stop.abort()
    await this.#following
    this.#enter('closed', 'closed')
    await this.#front.replica.close()
    await this.#back.replica.close()
  }

  #run = <T>(work: Generator<void, T>): Promise<T> => {
    const { clock, pause } = this.#deps
    return runInSlices(work, { sliceMs: SLICE_MS, share: SHARE, nowMs: () => clock.monotonicMs(), pause })
  }

  async #take(record: SnapshotRecord): Promise<void> {
    const arrived = await this.#run(this.#assembler.takeSlices(record))
    if (arrived === undefined) return
    for (const side of [this.#front, this.#back]) {
      // What a full version makes obsolete need not be applied.
      if (arrived.state === 'whole' && arrived.kind === 'full') side.waiting.length = 0
      side.waiting.push(arrived)
    }
    if (this.#isCaughtUp) await this.#advance()
  }

  /** Brings the back to the newest version, changes places, and the other one too. */
  async #advance(): Promise<void> {
    if (this.#back.waiting.length === 0) return
    const before = this.#back.replica.held
    await this.#apply(this.#back, true)
    if (this.#back.replica.held === undefined || this.#back.replica.held === before) {
      // Nothing new came of it: the front would make the same of it.
      this.#front.waiting.length = 0
      return
    }
    const changed = this.#front
    this.#front = this.#back
    this.#back = changed
    this.#notify()
    await changed.replica.scorer.idle()
    await this.#apply(changed, false)
  }

  async #apply({ replica, waiting }: { replica: Replica; waiting: Arrived[] }, isFirst: boolean): Promise<void> {
    for (let arrived = waiting.shift(); arrived !== undefined; arrived = waiting.shift()) {
      const { loaded, logger } = this.#deps
      let outcome = 'taken'
      try {
        if (arrived.manifest.configHash !== loaded.hash)
          throw new MillraceError(
            'SNAPSHOT_CORRUPT',
            `version ${arrived.version} is of configuration ${arrived.manifest.configHash}, this one is ${loaded.hash}`,
          )
        checkParts(loaded.config, arrived)
        const step = await replica.follow(arrived, this.#run)
        if (step.kind === 'ignored') continue
        if (step.kind === 'gap') outcome = step.reason
      } catch (error) {
        if (!(error instanceof MillraceError)) throw error
        outcome = error.message
      }
      if (!isFirst) continue
      const { version, kind, manifest } = arrived
      const parent = arrived.state === 'whole' ? arrived.parent : null
      const { eventTime: eventTimeMs, checksum, metrics } = manifest
      this.#versions.push({ version, kind, parent, eventTimeMs, checksum, metrics, outcome })
      if (this.#versions.length > KEPT_VERSIONS) this.#versions.shift()
      if (outcome === 'taken') this.#enter('following', '')
      else {
        logger.warn({ version, reason: outcome }, 'a version can not be applied')
        this.#enter(this.front === undefined ? 'waiting' : 'gap', outcome)
      }
    }
  }

  #enter(state: FollowerState, reason: string): void {
    this.#state = state
    this.#reason = reason
    this.#notify()
  }

  #notify(): void {
    const waiting = this.#wake
    this.#wake = []
    for (const wake of waiting) wake()
  }
}

/**
 * Two replicas of the model: one answers, the other is brought to the next version, a fraction of a millisecond at a
 * time, and when it is there, with the right checksum, they change places; then the first one catches up. So every answer
 * is by exactly one version, requests wait for a slice and never for a version, and a version that does not come out right
 * is never scored with. The price: the model lies in memory twice, and each version is applied twice.
 *
 * Pinned to a version they stay there: what comes is looked at and left. The way back, and later the way on, is read from the
 * output anew, from the newest full version before.
 *
 * Where challengers learn beside, a version may be of any of their configurations: then a replica is made anew for it.
 *
 * What can not be applied (a gap, damage) leaves what is held as it is, until the next full version.
 */
import type { Backend } from '../backend/backend.js'
import type { LoadedConfig } from '../config/load.js'
import { MillraceError } from '../domain/errors.js'
import type { SnapshotKind } from '../domain/state.js'
import type { Log } from '../observe/log.js'
import { traced } from '../observe/trace.js'
import type { SnapshotRecord } from '../sink/output-records.js'
import { type IncompleteVersion, VersionAssembler, type WholeVersion } from '../snapshot/assembler.js'
import { chainTo } from '../snapshot/chain-to.js'
import type { Clock } from '../std/clock.js'
import { runInSlices } from '../std/slices.js'
import type { SnapshotFeed } from './feed.js'
import { checkParts, Replica } from './replica.js'

/** So long a request waits for a version that is being applied, or for this share of the time that requests take. */
const SLICE_MS = 0.3
const SHARE = 0.15
const KEPT_VERSIONS = 100

/**
 * starting: the output is read. waiting: no version can be scored with. gap: one can, and newer ones need a full one first.
 * pinned: one can, and stays whatever comes.
 */
export type FollowerState = 'starting' | 'waiting' | 'following' | 'gap' | 'pinned' | 'failed' | 'closed'

export interface FollowedVersion {
  version: number
  kind: SnapshotKind
  parent: number | null
  /** Stream time of the version, ms. */
  eventTimeMs: number
  checksum: string
  metrics: Record<string, number>
  /** What became of it: `taken`, `left` because another version is pinned, or why it can not be had. */
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
  /** Stay at this version from the start. */
  pin?: number | undefined
}

type Arrived = WholeVersion | IncompleteVersion

/** A replica of the model of one configuration, and what it has still to apply. */
interface Side {
  replica: Replica
  hash: string
  waiting: Arrived[]
}

export class ReplicaPair {
  readonly #deps: ReplicaPairDeps
  readonly #assembler = new VersionAssembler()
  readonly #stop = new AbortController()
  readonly #versions: FollowedVersion[] = []
  #front: Side
  #back: Side
  #state: FollowerState = 'starting'
  #reason = ''
  #isCaughtUp = false
  #pinned: number | undefined
  /** One at a time: records that come, pins, unpins. */
  #turn: Promise<unknown> = Promise.resolve()
  #following: Promise<void> = Promise.resolve()
  #wake: (() => void)[] = []

  private constructor(deps: ReplicaPairDeps, replicas: [Replica, Replica]) {
    this.#deps = deps
    this.#pinned = deps.pin
    const { hash } = deps.loaded
    this.#front = { replica: replicas[0], hash, waiting: [] }
    this.#back = { replica: replicas[1], hash, waiting: [] }
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

  /** The version that answers until unpin(); undefined: the newest one does. */
  get pinned(): number | undefined {
    return this.#pinned
  }

  /** Newest last. */
  get versions(): readonly FollowedVersion[] {
    return this.#versions
  }

  start(): void {
    const handlers = {
      take: (record: SnapshotRecord) => this.#inTurn(() => this.#take(record)),
      caughtUp: () => this.#inTurn(() => this.#caughtUp()),
      restarted: () => {
        this.#isCaughtUp = false
      },
    }
    this.#following = this.#deps.feed.follow(handlers, this.#stop.signal).catch(error => {
      this.#deps.logger.error({ error: (error as Error).message }, 'versions can not be followed any more')
      this.#enter('failed', (error as Error).message)
    })
  }

  /**
   * Goes back (or on) to this version and stays there; requests are answered meanwhile, by the version before. SNAPSHOT_NOT_FOUND:
   * it can not be reconstructed from what the output still holds; then everything goes on as it was.
   */
  pin(version: number): Promise<void> {
    return this.#inTurn(async () => {
      const before = this.#pinned
      if (this.front?.held?.version !== version) await this.#goTo(version, before)
      this.#pinned = version
      this.#enter('pinned', `pinned to version ${version}`)
    })
  }

  /** On to the newest version, and to what comes. */
  unpin(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#pinned === undefined) return
      this.#pinned = undefined
      await this.#catchUp()
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
    await this.#turn
    this.#enter('closed', 'closed')
    await this.#front.replica.close()
    await this.#back.replica.close()
  }

  #run = <T>(work: Generator<void, T>): Promise<T> => {
    const { clock, pause } = this.#deps
    return runInSlices(work, { sliceMs: SLICE_MS, share: SHARE, nowMs: () => clock.monotonicMs(), pause })
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work)
    this.#turn = turn.catch(() => {})
    return turn
  }

  async #caughtUp(): Promise<void> {
    this.#isCaughtUp = true
    const pinned = this.#pinned
    if (pinned !== undefined && this.front === undefined) {
      try {
        await this.#goTo(pinned, pinned)
        this.#enter('pinned', `pinned to version ${pinned}`)
      } catch (error) {
        if (!(error instanceof MillraceError)) throw error
        this.#enter('waiting', error.message)
      }
    }
    await this.#advance()
    if (this.front === undefined && this.#state === 'starting') this.#enter('waiting', 'no full version has come')
  }

  /** Brings the back there, along the output, and changes places. before: what was pinned, in case it can not be done. */
  async #goTo(version: number, before: number | undefined): Promise<void> {
    const chain = await chainTo(this.#deps.feed, this.#run, version)
    if (chain.length === 0)
      throw new MillraceError(
        'SNAPSHOT_NOT_FOUND',
        `version ${version} can not be reconstructed from what ${this.#deps.feed.name} holds`,
      )
    this.#back.replica.forget()
    this.#back.waiting = chain
    await this.#apply(this.#back, false)
    if (this.#back.replica.held?.version !== version) {
      if (before === undefined) await this.#catchUp()
      throw new MillraceError('SNAPSHOT_NOT_FOUND', `version ${version} in ${this.#deps.feed.name} can not be applied`)
    }
    await this.#change()
    this.#back.waiting.length = 0
  }

  /** Both, along the output, to the newest version that it holds. */
  async #catchUp(): Promise<void> {
    const chain = await chainTo(this.#deps.feed, this.#run)
    for (const side of [this.#back, this.#front]) {
      side.replica.forget()
      side.waiting = [...chain]
    }
    if (this.front !== undefined && chain.length === 0) this.#enter('gap', 'no version is there to go on to')
    await this.#advance()
  }

  async #change(): Promise<void> {
    const changed = this.#front
    this.#front = this.#back
    this.#back = changed
    this.#notify()
    await changed.replica.scorer.idle()
  }

  async #take(record: SnapshotRecord): Promise<void> {
    const arrived = await this.#run(this.#assembler.takeSlices(record))
    if (arrived === undefined) return
    if (this.#pinned !== undefined) return this.#note(arrived, 'left')
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
    await this.#change()
    await this.#apply(this.#back, false)
  }

  /** The side is not the one that answers. */
  async #apply(side: Side, isFirst: boolean): Promise<void> {
    const { waiting } = side
    for (let arrived = waiting.shift(); arrived !== undefined; arrived = waiting.shift()) {
      const { loaded, logger, clock } = this.#deps
      const end = traced('apply', clock)
      let outcome = 'taken'
      try {
        checkParts(loaded.config, arrived)
        if (arrived.manifest.configHash !== side.hash) await this.#changeModel(side, arrived)
        const step = await side.replica.follow(arrived, this.#run)
        if (step.kind === 'ignored') continue
        if (step.kind === 'gap') outcome = step.reason
      } catch (error) {
        if (!(error instanceof MillraceError)) throw error
        outcome = error.message
      }
      end({ version: arrived.version, kind: arrived.kind, outcome })
      if (!isFirst) continue
      this.#note(arrived, outcome)
      if (outcome === 'taken') this.#enter('following', '')
      else {
        logger.warn({ version: arrived.version, reason: outcome }, 'a version can not be applied')
        this.#enter(this.front === undefined ? 'waiting' : 'gap', outcome)
      }
    }
  }

  /** A challenger was promoted: the versions from here on are of its model. The side is not the one that answers. */
  async #changeModel(side: Side, { version, kind, manifest }: Arrived): Promise<void> {
    const { loaded, backend, logger } = this.#deps
    const { configHash } = manifest
    const model = [loaded, ...loaded.challengers].find(({ hash }) => hash === configHash)
    if (model === undefined)
      throw new MillraceError(
        'SNAPSHOT_CORRUPT',
        `version ${version} is of configuration ${configHash}, this one is ${loaded.hash}`,
      )
    if (kind !== 'full')
      throw new MillraceError('SNAPSHOT_CORRUPT', `version ${version} follows one of another configuration`)
    const before = side.replica
    side.replica = await Replica.create(model.config, backend, loaded.config.model.seed)
    side.hash = configHash
    await before.close()
    logger.debug({ version, configHash }, 'a version is of another of the configurations that learn side by side')
  }

  #note(arrived: Arrived, outcome: string): void {
    const { version, kind, manifest } = arrived
    const parent = arrived.state === 'whole' ? arrived.parent : null
    const { eventTime: eventTimeMs, checksum, metrics } = manifest
    const noted = { version, kind, parent, eventTimeMs, checksum, metrics, outcome }
    // A version that was left, or taken before the way back, comes again when the pin is gone.
    const known = this.#versions.findIndex(
      one =>
        one.version === version &&
        one.checksum === checksum &&
        (one.outcome === 'left' || (one.outcome === 'taken' && outcome === 'taken')),
    )
    if (known >= 0) this.#versions[known] = noted
    else this.#versions.push(noted)
    if (this.#versions.length > KEPT_VERSIONS) this.#versions.shift()
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

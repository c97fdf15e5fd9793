/**
 * What can be seen of one session from outside: its state, its metrics, its health, and the server that shows them. Parts
 * are handed in as they come to be (observe-*.ts); nothing here has a say in what is learned.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { MillraceError } from '../domain/errors.js'
import { type Check, createHealth, type Health } from '../observe/health.js'
import { Metrics } from '../observe/metrics.js'
import { serveObserved } from '../observe/server.js'
import type { Telemetry } from '../serve/telemetry/telemetry.js'
import type { Clock } from '../std/clock.js'
import { packageRoot } from '../std/package-root.js'
import type { SessionOptions } from './session-options.js'

/** In the order of a life; `standby` until it is this instance's turn, `relearning` what an earlier one had committed. */
const STATES = ['starting', 'standby', 'restoring', 'relearning', 'learning', 'stopping', 'failed'] as const
type State = (typeof STATES)[number]

const ABOUT: Record<State, string> = {
  starting: 'connecting',
  standby: 'another instance learns; this one takes over when it is gone',
  restoring: 'reading a checkpoint',
  relearning: 'learning again, silently, what was committed behind the checkpoint',
  learning: 'events are read, outputs are published',
  stopping: 'finishing the batch, writing a checkpoint, leaving',
  failed: 'an error ends this instance',
}

export class Observation {
  readonly metrics = new Metrics()
  readonly health: Health = createHealth()
  readonly clock: Clock
  readonly #stop: AbortSignal
  #phase: State = 'starting'
  #error: unknown
  /** What the parts say, which know better than the phase. */
  isStandingBy: () => boolean = () => false
  isRelearning: () => boolean = () => false
  /** The session goes on from a checkpoint. */
  isRestored = false
  /** How much of a log that ends has been read. */
  share: number | null = null
  /** Of numeric tasks, in the window that the learner told last. */
  labelDeviations: ReadonlyMap<string, number> | undefined
  /** For the dashboard, if there is one. */
  readonly telemetry: Telemetry | undefined

  constructor(clock: Clock, stop: AbortSignal, telemetry?: Telemetry) {
    this.clock = clock
    this.telemetry = telemetry
    telemetry?.read(() => ({ state: this.state, text: this.#stateText(), share: this.share }))
    this.#stop = stop
    this.metrics.set('millrace_build_info', 1, { version: programVersion() })
    this.metrics.onScrape(() => {
      for (const state of STATES) this.metrics.set('millrace_state', state === this.state ? 1 : 0, { state })
    })
    this.health.live.set('event-loop', () => ({ status: 'ok', text: 'turns' }))
    this.health.ready.set('state', () => this.#stateCheck())
  }

  get state(): State {
    if (this.#phase === 'failed') return 'failed'
    if (this.#stop.aborted) return 'stopping'
    if (this.#phase === 'starting' && this.isStandingBy()) return 'standby'
    if (this.#phase === 'learning' && this.isRelearning()) return 'relearning'
    return this.#phase
  }

  enter(phase: Exclude<State, 'failed' | 'standby' | 'relearning'>): void {
    this.#phase = phase
  }

  fail(error: unknown): void {
    this.#phase = 'failed'
    this.#error = error
  }

  /** Serves if the configuration wants it; returns what closes it. */
  async serve({
    loaded: { config },
    outputs,
    logger,
  }: Pick<SessionOptions, 'loaded' | 'outputs' | 'logger'>): Promise<() => Promise<void>> {
    const { host, port } = config.observe
    const publishes = outputs === 'configured' && config.outputs.kafka !== undefined
    const isLive = config.source.follow || (config.source.kafka !== undefined && publishes)
    if (port === undefined && !isLive) return async () => {}
    this.metrics.watchProcess()
    const server = await serveObserved({ host, port }, this.health, this.metrics)
    logger.info(
      { livez: `${server.url}/livez`, readyz: `${server.url}/readyz?verbose`, metrics: `${server.url}/metrics` },
      'health and metrics',
    )
    return () => server.close()
  }

  #stateCheck(): Check {
    const { state } = this
    const isReady = state === 'learning' || state === 'standby'
    return { status: isReady ? 'ok' : 'fail', text: `${state}: ${this.#stateText()}` }
  }

  #stateText(): string {
    const code = this.#error instanceof MillraceError ? ` (${this.#error.code})` : ''
    return `${ABOUT[this.state]}${code}`
  }
}

export function programVersion(): string {
  return (JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as { version: string }).version
}

/**
 * The main thread's end of the learning worker: commands out, answers matched to them by order. When the worker fails or
 * dies, every command that waits and every later one fails with the same error.
 */
import { Worker } from 'node:worker_threads'
import type { Config } from '../config/schema.js'
import { MillraceError } from '../domain/errors.js'
import type { Id } from '../domain/event.js'
import type { NamedPart, SnapshotKind } from '../domain/state.js'
import type {
  CalibrationCurve,
  EraseAnswer,
  LanePort,
  LearnAnswer,
  LearnCommand,
  MetricsAnswer,
  PartFile,
  ScoreAnswer,
  ScoreCommand,
  SnapshotAnswer,
} from '../pipeline/learner.js'
import type { Answer, Command } from './protocol.js'

interface Waiting {
  resolve(value: unknown): void
  reject(error: MillraceError): void
}

export class WorkerLearner implements LanePort {
  readonly #worker: Worker
  readonly #waiting: Waiting[] = []
  #head = 0
  #failure: MillraceError | undefined
  #closed = false
  /** What the worker computes with; for logs and reports. */
  readonly backend: string

  private constructor(worker: Worker, backend: string) {
    this.#worker = worker
    this.backend = backend
    worker.on('message', (answer: Answer) => this.#onAnswer(answer))
    worker.on('error', error =>
      this.#fail(new MillraceError('WORKER_LOST', `the learning thread failed: ${error.message}`, { cause: error })),
    )
    worker.on('exit', code => {
      if (!this.#closed) this.#fail(new MillraceError('WORKER_LOST', `the learning thread ended with code ${code}`))
    })
  }

  /** lane: whose scores and notes in the columns are its own. */
  static async start(config: Config, lane = 0): Promise<WorkerLearner> {
    const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData: { config, lane } })
    const backend = await new Promise<string>((resolve, reject) => {
      worker.once('message', (answer: Answer) => {
        if (answer.kind === 'ready') resolve(answer.backend)
        else if (answer.kind === 'failure') reject(new MillraceError(answer.code, answer.message))
      })
      worker.once('error', cause =>
        reject(new MillraceError('WORKER_LOST', `the learning thread can not start: ${cause.message}`, { cause })),
      )
    })
    return new WorkerLearner(worker, backend)
  }

  addSlab(buffer: SharedArrayBuffer): void {
    this.#post({ kind: 'slab', buffer })
  }

  score(command: ScoreCommand): Promise<ScoreAnswer> {
    return this.#ask<ScoreAnswer>({ kind: 'score', command })
  }

  learn(command: LearnCommand): Promise<LearnAnswer> {
    return this.#ask<LearnAnswer>({ kind: 'learn', command })
  }

  erase(user: Id): Promise<EraseAnswer> {
    return this.#ask<EraseAnswer>({ kind: 'erase', user })
  }

  begin(step: number): Promise<void> {
    return this.#ask<void>({ kind: 'begin', step })
  }

  metrics(): Promise<MetricsAnswer> {
    return this.#ask<MetricsAnswer>({ kind: 'metrics' })
  }

  calibration(): Promise<CalibrationCurve[]> {
    return this.#ask<CalibrationCurve[]>({ kind: 'calibration' })
  }

  snapshot(kind: SnapshotKind, parts: readonly NamedPart[]): Promise<SnapshotAnswer> {
    const buffers = parts.flatMap(([, { state }]) =>
      Object.values(state.arrays)
        .flat()
        .map(({ buffer }) => buffer),
    )
    return this.#ask<SnapshotAnswer>({ kind: 'snapshot', of: kind, parts }, buffers as ArrayBuffer[])
  }

  save(folder: string, prefix = ''): Promise<PartFile[]> {
    return this.#ask<PartFile[]>({ kind: 'save', folder, prefix })
  }

  load(folder: string, parts: readonly PartFile[], prefix = ''): Promise<void> {
    return this.#ask<void>({ kind: 'load', folder, parts, prefix })
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    if (this.#failure === undefined) await this.#ask({ kind: 'close' }).catch(() => undefined)
    await this.#worker.terminate()
  }

  #ask<T>(command: Command, transfer: ArrayBuffer[] = []): Promise<T> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ resolve: resolve as (value: unknown) => void, reject })
      this.#post(command, transfer)
    })
  }

  #post(command: Command, transfer: ArrayBuffer[] = []): void {
    this.#worker.postMessage(command, transfer)
  }

  #onAnswer(answer: Answer): void {
    if (answer.kind === 'failure') {
      const error = new MillraceError(answer.code, answer.message)
      if (answer.stack !== undefined) error.stack = answer.stack
      this.#fail(error)
    } else if (answer.kind === 'answer') {
      const waiting = this.#waiting[this.#head++]
      if (this.#head > 1024) {
        this.#waiting.splice(0, this.#head)
        this.#head = 0
      }
      waiting?.resolve(answer.value)
    }
  }

  #fail(error: MillraceError): void {
    this.#failure ??= error
    for (const waiting of this.#waiting.splice(this.#head)) waiting.reject(this.#failure)
    this.#waiting.length = 0
    this.#head = 0
  }
}

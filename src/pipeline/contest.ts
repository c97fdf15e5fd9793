/**
 * Several learners, each with a configuration of its own, on one joined stream: the one that answers, and its challengers.
 * Every command goes to all of them in order; it is answered, with what the first says, when all have answered, and
 * answers come in the order of the commands. So whatever depends on answers (outputs, rows that are freed, verdicts)
 * follows from the log, challengers never run behind, and the slowest sets the pace.
 *
 * Lanes stand in the order of the configuration, itself first; that number is also whose scores and notes are whose in the
 * columns. Known they are by the hashes of their configurations. A challenger that fails is left out from then on; if the one
 * that answers fails, everything does.
 *
 * A promotion by rule is decided about between two records, when everything sent is answered, every few steps: afterStep() any
 * number of times, then decide(); isWaiting in between. promote() only when everything is answered; then all are compared
 * anew. close() closes all.
 */
import type { Config } from '../config/schema.js'
import { MillraceError } from '../domain/errors.js'
import type { Id } from '../domain/event.js'
import type { Json, NamedPart, SnapshotKind } from '../domain/state.js'
import { Comparison, type Standing } from '../evaluate/contest/comparison.js'
import type {
  CalibrationCurve,
  ChallengerFigures,
  EraseAnswer,
  LanePort,
  LearnAnswer,
  LearnCommand,
  LearnerPort,
  MetricsAnswer,
  PartFile,
  ScoreAnswer,
  ScoreCommand,
  SnapshotAnswer,
} from './learner.js'

export interface Contestant {
  name: string
  /** Of its configuration. */
  hash: string
  learner: LanePort
}

interface Lane extends Contestant {
  /** Why it is left out. */
  failure: string | undefined
  /** It was not there when the checkpoint was written. */
  isNew: boolean
  /** Against the one that answers; of no use of that one itself. */
  comparison: Comparison
}

/** A command that was sent: answered when so many more have answered and all before it are. */
interface Sent {
  left: number
  finish(): void
}

const PREFIX = /^lane-([0-9a-f]+)\./
const prefixOf = (hash: string) => `lane-${hash}.`
const SCORED_AT_ONCE = 4096
/** A decision waits for the workers, so it is not made behind each step. */
const DECIDE_STEPS = 32

export class Contest implements LearnerPort {
  readonly #config: Pick<Config, 'tasks' | 'promotion'>
  readonly #lanes: Lane[]
  readonly #onFailure: (name: string, reason: string) => void
  #answering = 0
  #isWaiting = false
  #sent: Sent[] = []
  /** To be promoted by hand. */
  #asked: number | undefined
  #steps = 0

  constructor(
    config: Pick<Config, 'tasks' | 'promotion'>,
    contestants: readonly Contestant[],
    onFailure: (name: string, reason: string) => void,
  ) {
    this.#config = config
    this.#onFailure = onFailure
    this.#lanes = contestants.map(contestant => ({
      ...contestant,
      failure: undefined,
      isNew: false,
      comparison: this.#createComparison(contestants.length - 1),
    }))
  }

  /** How many learn. */
  get size(): number {
    return this.#lanes.length
  }

  get backend(): string {
    return this.#first.learner.backend
  }

  /** The one that answers: its place, and what it is. */
  get answering(): { lane: number; name: string; hash: string } {
    const { name, hash } = this.#first
    return { lane: this.#answering, name, hash }
  }

  /** The others that still learn, with their places. */
  get challengers(): { lane: number; name: string; hash: string }[] {
    return this.#lanes.flatMap(({ name, hash, failure }, lane) =>
      lane === this.#answering || failure !== undefined ? [] : [{ lane, name, hash }],
    )
  }

  addSlab(buffer: SharedArrayBuffer): void {
    for (const { learner, failure } of this.#lanes) if (failure === undefined) learner.addSlab(buffer)
  }

  score(command: ScoreCommand): Promise<ScoreAnswer> {
    return this.#askAll(learner => learner.score(command))
  }

  learn(command: LearnCommand): Promise<LearnAnswer> {
    const { labels, mask, rows } = command
    return this.#askAll(
      learner => learner.learn(command),
      (first, answers) => {
        for (const [lane, { comparison }] of this.#lanes.entries()) {
          const own = answers[lane]
          if (own !== undefined && own !== first) comparison.record(rows.length, first.values, own.values, labels, mask)
        }
        return first
      },
    )
  }

  erase(user: Id): Promise<EraseAnswer> {
    return this.#askAll(learner => learner.erase(user))
  }

  metrics(): Promise<MetricsAnswer> {
    return this.#askAll(
      learner => learner.metrics(),
      (first, answers) => ({ ...first, challengers: this.#figures(answers) }),
    )
  }

  calibration(): Promise<CalibrationCurve[]> {
    return this.#askFirst(learner => learner.calibration())
  }

  snapshot(kind: SnapshotKind, parts: readonly NamedPart[]): Promise<SnapshotAnswer> {
    return this.#askFirst(learner => learner.snapshot(kind, parts))
  }

  /** What answers as if it were alone, the others under prefixes. */
  async save(folder: string): Promise<PartFile[]> {
    const saving = await Promise.allSettled(this.#lanes.map((_, lane) => this.#saveLane(lane, folder)))
    // Nobody writes any more: only now may the folder go, if one could not.
    return saving.flatMap(saved => {
      if (saved.status === 'rejected') throw saved.reason
      return saved.value
    })
  }

  /** Of a checkpoint: which one answers, who has learned, and who begins now. Returns the hashes of those who are gone. */
  resume({ configHash, step, parts }: { configHash: string; step: number; parts: readonly PartFile[] }): string[] {
    this.#answering = this.#lanes.findIndex(({ hash }) => hash === configHash)
    this.#steps = step
    const saved = new Set(parts.flatMap(({ name }) => PREFIX.exec(name)?.[1] ?? []))
    for (const [lane, one] of this.#lanes.entries()) one.isNew = lane !== this.#answering && !saved.has(one.hash)
    return [...saved].filter(hash => this.#lanes.every(one => one.hash !== hash))
  }

  /** Those who begin now; after resume(). */
  get beginners(): { name: string; hash: string }[] {
    return this.#lanes.filter(({ isNew }) => isNew)
  }

  async load(folder: string, parts: readonly PartFile[]): Promise<void> {
    for (const [lane, { learner, hash, isNew }] of this.#lanes.entries()) {
      if (isNew) await learner.begin(this.#steps)
      else await learner.load(folder, parts, lane === this.#answering ? '' : prefixOf(hash))
    }
  }

  /** rows: all that wait for labels. Those who begin now score them, since their scores are what will be judged. */
  async begin(rows: readonly number[], eventTimeMs: number): Promise<void> {
    for (const { learner, isNew } of this.#lanes) {
      if (!isNew) continue
      for (let from = 0; from < rows.length; from += SCORED_AT_ONCE)
        await learner.score({ rows: Int32Array.from(rows.slice(from, from + SCORED_AT_ONCE)), eventTimeMs })
    }
  }

  /** A decision is due when everything sent is answered. */
  get isWaiting(): boolean {
    return this.#isWaiting || this.#asked !== undefined
  }

  /** Somebody, or the journal, promotes the challenger of this configuration. REQUEST_INVALID: there is no such one. */
  ask(hash: string): void {
    const found = this.challengers.find(one => one.hash === hash)
    if (found === undefined)
      throw new MillraceError('REQUEST_INVALID', `no challenger of configuration ${hash} can be promoted`)
    this.#asked = found.lane
  }

  /** The lane that ask() named, once. */
  takeAsked(): number | undefined {
    const asked = this.#asked
    this.#asked = undefined
    return asked
  }

  /** Called behind each step, with its number. */
  afterStep(step: number): void {
    if (this.#config.promotion.rule !== 'none' && step % DECIDE_STEPS === 0) this.#isWaiting = true
  }

  /** The challenger that takes over by the rule, if one does. */
  decide(): number | undefined {
    if (!this.#isWaiting) return undefined
    this.#isWaiting = false
    const found = this.challengers.flatMap(({ lane }) => {
      const standing = this.standing(lane)
      const isBetter = standing.verdict === 'better' && standing.tasks.every(({ verdict }) => verdict !== 'worse')
      return isBetter ? [{ lane, difference: standing.difference ?? 0 }] : []
    })
    return found.sort((a, b) => a.difference - b.difference)[0]?.lane
  }

  /** All but what answers, as of now. */
  standings(): Omit<ChallengerFigures, 'figures'>[] {
    return this.#figures([]).map(({ figures, ...one }) => one)
  }

  /** Against what answers. */
  standing(lane: number): Standing {
    const one = this.#lanes[lane]
    if (one === undefined) throw new MillraceError('INTERNAL', `there is no lane ${lane}`)
    return one.comparison.standing()
  }

  promote(lane: number): void {
    this.#answering = lane
    for (const one of this.#lanes) one.comparison = this.#createComparison(this.#lanes.length - 1)
  }

  saveComparisons(): Json {
    return Object.fromEntries(
      this.challengers.map(({ lane, hash }) => [hash, this.#lanes[lane]?.comparison.toJson() ?? null]),
    )
  }

  loadComparisons(saved: Json): void {
    for (const { hash, comparison, isNew } of this.#lanes) {
      const state = (saved as Record<string, Json>)[hash]
      if (state !== undefined && !isNew) comparison.fromJson(state)
    }
  }

  async close(): Promise<void> {
    for (const { learner } of this.#lanes) await learner.close()
  }

  async #saveLane(lane: number, folder: string): Promise<PartFile[]> {
    const one = this.#lanes[lane]
    if (one === undefined || one.failure !== undefined) return []
    try {
      return await one.learner.save(folder, lane === this.#answering ? '' : prefixOf(one.hash))
    } catch (error) {
      const isLost = error instanceof MillraceError && error.code === 'WORKER_LOST'
      if (lane === this.#answering || !isLost) throw error
      this.#leaveOut(one, error)
      return []
    }
  }

  get #first(): Lane {
    const lane = this.#lanes[this.#answering]
    if (lane === undefined) throw new MillraceError('INTERNAL', `there is no lane ${this.#answering}`)
    return lane
  }

  #createComparison(count: number): Comparison {
    const { tasks, promotion } = this.#config
    return new Comparison(tasks, promotion, count)
  }

  #figures(answers: readonly (MetricsAnswer | undefined)[]): ChallengerFigures[] {
    return this.#lanes.flatMap(({ name, hash, failure, comparison }, lane) =>
      lane === this.#answering
        ? []
        : [{ name, hash, figures: answers[lane], standing: comparison.standing(), failure }],
    )
  }

  #askAll<T>(
    ask: (learner: LanePort) => Promise<T>,
    answer: (first: T, answers: readonly (T | undefined)[]) => T = first => first,
  ): Promise<T> {
    return this.#ask(
      this.#lanes.flatMap(({ failure }, lane) => (failure === undefined ? [lane] : [])),
      ask,
      answer,
    )
  }

  #askFirst<T>(ask: (learner: LanePort) => Promise<T>): Promise<T> {
    return this.#ask([this.#answering], ask, first => first)
  }

  #ask<T>(
    lanes: readonly number[],
    ask: (learner: LanePort) => Promise<T>,
    answer: (first: T, answers: readonly (T | undefined)[]) => T,
  ): Promise<T> {
    const first = this.#answering
    const answers: (T | undefined)[] = this.#lanes.map(() => undefined)
    return new Promise((resolve, reject) => {
      let failure: Error | undefined
      const finish = () => {
        if (failure === undefined) resolve(answer(answers[first] as T, answers))
        else reject(failure)
      }
      const sent: Sent = { left: lanes.length, finish }
      this.#sent.push(sent)
      const settled = () => {
        sent.left--
        while (this.#sent[0]?.left === 0) this.#sent.shift()?.finish()
      }
      for (const lane of lanes) {
        const one = this.#lanes[lane]
        if (one === undefined) continue
        ask(one.learner).then(
          value => {
            answers[lane] = value
            settled()
          },
          (error: Error) => {
            if (lane === first) failure = error
            else this.#leaveOut(one, error)
            settled()
          },
        )
      }
    })
  }

  #leaveOut(lane: Lane, error: Error): void {
    if (lane.failure !== undefined) return
    lane.failure = error.message
    this.#onFailure(lane.name, error.message)
  }
}

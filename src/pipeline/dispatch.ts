/**
 * Hops 4, 6 and 7 of the flow as the main thread sees them: rows go to the learning worker as commands, answers come
 * back in the same order and become predictions, and rows are freed.
 *
 * The rule that makes every score reproducible: waiting scores are always sent before a step is sent, so the score of an
 * impression is by the model of exactly the steps that were sent before it arrived. At most MAX_IN_FLIGHT commands are
 * unanswered; room() waits for that, which is the backpressure on the source.
 */
import type { Batcher, Examples } from '../batch/batcher.js'
import type { Config } from '../config/schema.js'
import { classColumns, taskClasses } from '../config/task-classes.js'
import { MillraceError } from '../domain/errors.js'
import type { Id, RecordPosition, ScoreRequest } from '../domain/event.js'
import { rankScoreOf } from '../domain/prediction.js'
import type { Json, NamedPart, SnapshotKind } from '../domain/state.js'
import type { DriftAlarm } from '../evaluate/drift/drift.js'
import { PublishGate } from '../evaluate/gate/publish-gate.js'
import type { Laboratory } from '../evaluate/laboratory.js'
import type { RetrievalMetrics } from '../evaluate/retrieval.js'
import type { ExampleColumns } from '../features/columns.js'
import type { JoinSubject } from '../join/join.js'
import { Fusion } from '../recommend/fusion.js'
import type { Outputs } from '../sink/delivery.js'
import type { Contest } from './contest.js'
import { Gatekeeper, type PublishVerdict } from './gatekeeper.js'
import type { FlushTrigger, Journal } from './journal.js'
import type { EraseAnswer, LearnAnswer, LearnerPort, MetricsAnswer, ScoreAnswer } from './learner.js'
import { metricRecords } from './metric-records.js'
import type { Position } from './position.js'
import { type PublisherState, SnapshotPublisher } from './publisher.js'

const MAX_IN_FLIGHT = 16

export interface DispatchDeps {
  config: Config
  configHash: string
  columns: ExampleColumns
  batcher: Batcher
  learner: LearnerPort
  /** Where challengers learn beside. */
  contest: Contest | undefined
  outputs: Outputs
  journal: Journal
  position: Position
  /** Of the next item, where top-N is configured. */
  retrieval: RetrievalMetrics | undefined
  /** Of an evaluation that wants to know more than totals. */
  laboratory?: Pick<Laboratory, 'judged'> | undefined
  partitionName(index: number): string
  /** What a version holds of the main thread, as of now; undefined: nobody gets snapshots. */
  published: ((kind: SnapshotKind) => NamedPart[]) | undefined
  onMetrics(answer: MetricsAnswer, records: number, eventTimeMs: number): void
  onAlarm(alarm: DriftAlarm, at: { events: number; eventTime: number; step: number }): void
  /** Of the publish gate, where it is on. */
  onVerdict(verdict: PublishVerdict, records: number): void
  /** A challenger has taken over. */
  onPromotion(promotion: Promotion): void
}

interface RestoredVersions {
  published: PublisherState | null
  gate: Json
  /** Behind the checkpoint, by other settings than those of now. */
  isPublishedOtherwise: boolean
}

export interface Promotion {
  name: string
  /** Of its configuration. */
  hash: string
  /** Who has answered so far. */
  before: string
  cause: 'rule' | 'hand'
  step: number
  records: number
  eventTimeMs: number
  /** As a share of a constant's loss, mean over the tasks; undefined: nothing was compared yet. */
  difference: number | undefined
}

/** Of an answer, what was said of its rows. */
type Said = Pick<ScoreAnswer, 'values' | 'classes'>

export class Dispatcher {
  readonly #deps: DispatchDeps
  readonly #publisher: SnapshotPublisher | undefined
  readonly #gatekeeper: Gatekeeper | undefined
  readonly #taskNames: string[]
  readonly #ranks: number[]
  readonly #classColumns: number
  readonly fusion: Fusion
  /** What a prediction will say about a row, from its arrival until it is scored. */
  readonly #subjects = new Map<number, JoinSubject>()
  /** Rows that the joiner has let go of; freed with the answer to the next full flush, the last that can name them. */
  #released: number[] = []
  #inFlight = 0
  #failure: MillraceError | undefined
  #wake: (() => void) | undefined
  #steps = 0

  constructor(deps: DispatchDeps) {
    this.#deps = deps
    this.#taskNames = deps.config.tasks.map(task => task.name)
    this.#ranks = deps.config.tasks.map(task => task.rank)
    this.#classColumns = classColumns(taskClasses(deps.config.tasks))
    this.fusion = new Fusion(deps.config.tasks, deps.config.recommend?.fusion)
    if (deps.published === undefined) return
    const { gate } = deps.config.outputs
    if (gate !== undefined)
      this.#gatekeeper = new Gatekeeper(new PublishGate(gate, deps.config.tasks), verdict => this.#onVerdict(verdict))
    this.#publisher = this.#createPublisher(deps.published)
  }

  /** Steps sent so far: the model's version once they are answered. */
  get steps(): number {
    return this.#steps
  }

  /** The row will be predicted for this subject: with the next scores, or (fresh) in its learning step. */
  expect(row: number, subject: JoinSubject): void {
    this.#subjects.set(row, subject)
  }

  release(row: number): void {
    this.#released.push(row)
  }

  flushScores(trigger: FlushTrigger): void {
    const { batcher, learner, position, journal } = this.#deps
    while (batcher.scores > 0) {
      const { rows, fresh, labels, mask } = batcher.takeScores()
      if (trigger === 'linger') journal.score(this.#steps, trigger, rows.length)
      const operations = this.#deps.config.fast.enabled ? { fresh, labels, mask } : undefined
      const command = { rows, eventTimeMs: position.eventTimeMs, ...(operations && { operations }) }
      this.#send(learner.score(command), answer => {
        for (const [index, row] of rows.entries()) this.#predict(row, answer, index, answer.modelVersion)
      })
    }
  }

  /** Scores what waits, then makes steps of the labelled examples that wait. */
  flush(trigger: FlushTrigger): void {
    this.flushScores(trigger)
    const { batcher } = this.#deps
    while (batcher.examples > 0) this.#step(trigger, batcher.takeExamples())
    const released = this.#released
    if (released.length === 0 || batcher.isHolding) return
    this.#released = []
    // Behind every answer that may still name them.
    this.inOrder(() => {
      for (const row of released) this.#deps.columns.free(row)
    })
  }

  /** Calls back when everything sent so far is answered and its outputs are appended, before anything sent later is. */
  inOrder(callback: () => void): void {
    this.#send(this.#last, callback)
  }

  #step(trigger: FlushTrigger, batch: Examples): void {
    const { learner, position, journal, config, laboratory } = this.#deps
    this.#steps++
    journal.learn(this.#steps, trigger, batch.rows.length)
    // A late record can be older than the first one.
    const { after } = config.evaluate
    const countFromMs = after > 0 ? position.firstEventTimeMs + after : Number.NEGATIVE_INFINITY
    const { records, eventTimeMs } = position
    this.#send(learner.learn({ ...batch, eventTimeMs, countFromMs }), answer => {
      this.#predictFresh(batch.rows, batch.fresh, answer)
      this.fusion.learn(batch.rows.length, answer.values, batch.labels, batch.mask)
      this.#gatekeeper?.record(batch.rows.length, answer.values, batch.labels, batch.mask)
      laboratory?.judged(batch, answer.values, countFromMs)
      for (const alarm of answer.alarms)
        this.#alarm(alarm, { events: records, eventTime: eventTimeMs, step: answer.step })
    })
    this.#afterStep()
  }

  /** What the worker keeps of a user goes, as a step of its own, so that a version says so. done: called in the answer's place. */
  erase(user: Id, asked: RecordPosition, done: (answer: EraseAnswer) => void): void {
    const { learner, journal } = this.#deps
    this.#steps++
    journal.erase(this.#steps, asked)
    this.#send(learner.erase(user), done)
    this.#afterStep()
  }

  /** The version published last, or held back since. */
  get version(): number | undefined {
    return this.#publisher?.version
  }

  /** Whether the publish gate held the last version back; undefined: there is no gate. */
  get isHolding(): boolean | undefined {
    return this.#gatekeeper?.isHolding
  }

  /** Steps that no version had yet, published or held back. */
  get unpublished(): number {
    return this.#publisher === undefined ? 0 : this.#steps - (this.#publisher.version ?? 0)
  }

  /** By the wall clock: what has been learned is not kept waiting for more events. */
  publishLingering(): void {
    this.#deps.journal.publish(this.#steps, 'linger')
    this.#publisher?.publishNext(this.#steps)
  }

  /** By hand: the challenger of this configuration answers as soon as everything sent is answered; see room(). */
  askPromotion(hash: string): void {
    const { contest } = this.#deps
    if (contest === undefined)
      throw new MillraceError(
        'CHECKPOINT_INCOMPATIBLE',
        `the journal promotes a challenger (${hash}), and there is none`,
      )
    contest.ask(hash)
  }

  /** The log has ended. */
  publishLast(): void {
    this.#publisher?.atEnd(this.#steps)
  }

  /**
   * Ranks the candidate rows of one score request, at its place in the log, and frees them. retrieval: [rows] logits by
   * the next-item model, of candidates that it found.
   */
  answerRequest(
    request: ScoreRequest,
    rows: readonly number[],
    subjects: readonly JoinSubject[],
    retrieval: Float64Array | undefined,
  ): void {
    const { learner, position, outputs, columns, config } = this.#deps
    const head = { requestId: request.requestId, eventTime: request.eventTimeMs, user: request.user }
    this.flushScores('count')
    if (rows.length === 0) {
      // Whoever asked waits for an answer, and it has its place among the others.
      const modelVersion = this.#steps
      this.#send(this.#last, () => outputs.recommendations.append({ ...head, modelVersion, items: [] }))
      return
    }
    const width = this.#taskNames.length
    this.#send(learner.score({ rows: Int32Array.from(rows), eventTimeMs: position.eventTimeMs }), answer => {
      const { values, modelVersion } = answer
      const ranks = this.fusion.rank(values, rows.length, retrieval)
      const items = subjects.map((subject, index) => {
        const scores = values.subarray(index * width, (index + 1) * width)
        // Of what was found here nobody has asked for a prediction.
        if (retrieval === undefined) this.#append(subject, answer, index, modelVersion)
        return { item: subject.item, rankScore: ranks[index] ?? 0, values: this.#named(scores) }
      })
      items.sort((a, b) => b.rankScore - a.rankScore)
      if (retrieval !== undefined) items.length = Math.min(items.length, config.recommend?.size ?? 0)
      outputs.recommendations.append({ ...head, modelVersion, items })
      for (const row of rows) columns.free(row)
    })
  }

  metrics(): void {
    const { learner, position, outputs, onMetrics, retrieval } = this.#deps
    const records = position.records
    const eventTimeMs = position.eventTimeMs
    // As of now; the worker's figures are of what was sent before.
    const nextItem = { window: retrieval?.windowMetrics() ?? [], totals: retrieval?.totals() ?? [] }
    retrieval?.closeWindow()
    this.#send(learner.metrics(), answer => {
      answer.window.push(...nextItem.window)
      answer.totals.push(...nextItem.totals)
      const at = { eventTime: eventTimeMs, events: records, step: answer.step }
      for (const record of metricRecords(at, answer)) outputs.metrics.append(record)
      onMetrics(answer, records, eventTimeMs)
    })
  }

  /** Whether room() would wait. */
  get full(): boolean {
    return this.#inFlight >= MAX_IN_FLIGHT || this.#failure !== undefined || this.#isUndecided
  }

  /**
   * Resolves when another command may be sent; throws what the worker failed with. A version that is due, and a promotion, are
   * decided about here, so it must be called before the next record.
   */
  async room(): Promise<void> {
    if (this.#isUndecided) await this.#decide()
    while (this.#inFlight >= MAX_IN_FLIGHT && this.#failure === undefined) await this.#nextAnswer()
    if (this.#failure !== undefined) throw this.#failure
  }

  /** Resolves when every command is answered and its output appended. */
  async settled(): Promise<void> {
    await this.#answered()
    if (!this.#isUndecided) return
    await this.#decide()
    await this.#answered()
  }

  /** For a checkpoint, when settled: who the rows still to be scored are about. */
  waitingSubjects(): { row: number; subject: JoinSubject }[] {
    return [...this.#subjects].map(([row, subject]) => ({ row, subject }))
  }

  /** When settled: which version was published last, and what of it lies on the topic. */
  publisherState(): PublisherState | null {
    return this.#publisher?.saveState() ?? null
  }

  /**
   * What was committed behind the checkpoint has been learned again. Returns whether its versions were published by other
   * settings: then nobody has those that were made now, and the next one is full.
   */
  endRelearning(): boolean {
    if (this.#isPublishedOtherwise) this.#publisher?.startOver()
    return this.#isPublishedOtherwise
  }

  /** When settled: what the publish gate knows, where it is on. */
  gateState(): Json {
    return this.#gatekeeper?.toJson() ?? null
  }

  restore(
    steps: number,
    subjects: readonly { row: number; subject: JoinSubject }[],
    released: readonly number[],
    { published, gate, isPublishedOtherwise }: RestoredVersions,
  ): void {
    this.#steps = steps
    this.#isPublishedOtherwise = isPublishedOtherwise
    this.#publisher?.loadState(published)
    if (gate !== null) this.#gatekeeper?.fromJson(gate)
    for (const { row, subject } of subjects) this.#subjects.set(row, subject)
    this.#released = [...released]
  }

  #createPublisher(parts: (kind: SnapshotKind) => NamedPart[]): SnapshotPublisher {
    const { config, learner, outputs, position, configHash, partitionName } = this.#deps
    const { snapshotEverySteps, deltaEvery, snapshotRows, kafka } = config.outputs
    return new SnapshotPublisher({
      learner,
      outputs,
      configHash: () => this.#deps.contest?.answering.hash ?? configHash,
      everySteps: snapshotEverySteps,
      deltaEveryMs: deltaEvery,
      rowEncoding: snapshotRows,
      maxMessageBytes: kafka?.maxMessageBytes,
      parts,
      answeredParts: () => [['fusion', this.fusion.publish()]],
      head: () => ({
        eventTimeMs: position.eventTimeMs,
        offsets: position.nextOffsets.map((offset, index) => ({
          partition: partitionName(index),
          offset: String(offset),
        })),
      }),
      send: (answer, then) => this.#send(answer, then),
      gatekeeper: this.#gatekeeper,
    })
  }

  #afterStep(): void {
    this.#publisher?.afterStep(this.#steps)
    this.#deps.contest?.afterStep(this.#steps)
  }

  get #isUndecided(): boolean {
    return this.#publisher?.isWaiting === true || this.#deps.contest?.isWaiting === true
  }

  /** The version first: it was due while the one before answered. */
  async #decide(): Promise<void> {
    const { contest } = this.#deps
    await this.#answered()
    if (this.#publisher?.isWaiting === true) this.#publisher.decide(this.#steps)
    if (contest?.isWaiting !== true) return
    await this.#answered()
    const lane = contest.decide()
    if (lane !== undefined) this.#promote(contest, lane, 'rule')
    const asked = contest.takeAsked()
    if (asked !== undefined && asked !== contest.answering.lane) this.#promote(contest, asked, 'hand')
  }

  /** Everything is answered. */
  #promote(contest: Contest, lane: number, cause: Promotion['cause']): void {
    const { position, outputs, onPromotion } = this.#deps
    const { difference, labels, passed } = contest.standing(lane)
    const before = contest.answering.name
    contest.promote(lane)
    this.#publisher?.startOver()
    const { name, hash } = contest.answering
    if (cause === 'hand') this.#deps.journal.promote(this.#steps, hash)
    const { records, eventTimeMs } = position
    outputs.metrics.append({
      eventTime: eventTimeMs,
      events: records,
      step: this.#steps,
      task: '',
      window: 'promotion',
      split: 'all',
      values: difference === undefined ? {} : { difference },
      counts: { count: labels - passed },
      challenger: name,
    })
    onPromotion({ name, hash, before, cause, step: this.#steps, records, eventTimeMs, difference })
  }

  #isPublishedOtherwise = false
  /** The answer to the last command. */
  #last: Promise<unknown> = Promise.resolve()

  #send<T>(answer: Promise<T>, then: (answer: T) => void): void {
    this.#inFlight++
    this.#last = answer
    answer
      .then(then)
      .catch((error: MillraceError) => {
        this.#failure ??= error
      })
      .finally(() => {
        this.#inFlight--
        this.#wake?.()
      })
  }

  async #answered(): Promise<void> {
    while (this.#inFlight > 0 && this.#failure === undefined) await this.#nextAnswer()
    if (this.#failure !== undefined) throw this.#failure
  }

  #nextAnswer(): Promise<void> {
    return new Promise(resolve => {
      this.#wake = resolve
    })
  }

  #alarm(alarm: DriftAlarm, at: { events: number; eventTime: number; step: number }): void {
    const { task, detector, labels, lossBefore, lossNow } = alarm
    const { outputs, onAlarm } = this.#deps
    const record = { ...at, task, split: detector, values: { lossBefore, lossNow }, counts: { labels } }
    outputs.metrics.append({ ...record, window: 'alarm', challenger: null })
    onAlarm(alarm, at)
  }

  /** Everything is answered: what is appended has its place in the log. */
  #onVerdict(verdict: PublishVerdict): void {
    const { position, onVerdict } = this.#deps
    const { isNew, findings, version: step } = verdict
    const at = { events: position.records, eventTime: position.eventTimeMs, step }
    if (isNew)
      for (const { task, figure: detector, labels, before: lossBefore, now: lossNow } of findings)
        this.#alarm({ task, detector, labels, lossBefore, lossNow }, at)
    onVerdict(verdict, position.records)
  }

  #predict(row: number, answer: Said, index: number, modelVersion: number): void {
    const subject = this.#subjects.get(row)
    if (subject === undefined) return
    this.#subjects.delete(row)
    this.#append(subject, answer, index, modelVersion)
  }

  #predictFresh(rows: Int32Array, fresh: Uint8Array, answer: LearnAnswer): void {
    for (const [index, row] of rows.entries())
      if (fresh[index] === 1) this.#predict(row, answer, index, answer.step - 1)
  }

  /** index: of the row among those of the answer. */
  #append(subject: JoinSubject, { values, classes }: Said, index: number, modelVersion: number): void {
    const { eventId, requestId, eventTimeMs, user, item } = subject
    const [tasks, columns] = [this.#taskNames.length, this.#classColumns]
    const scores = values.subarray(index * tasks, (index + 1) * tasks)
    this.#deps.outputs.predictions.append({
      eventId,
      requestId,
      eventTimeMs,
      user,
      item,
      modelVersion,
      values: scores,
      classes: classes?.subarray(index * columns, (index + 1) * columns),
      rankScore: rankScoreOf(this.#ranks, scores),
    })
  }

  #named(scores: Float32Array): Record<string, number> {
    const values: Record<string, number> = {}
    for (const [task, name] of this.#taskNames.entries()) values[name] = scores[task] ?? 0
    return values
  }
}

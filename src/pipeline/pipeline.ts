/**
 * The flow: one event, eight hops, read from top to bottom in `#handle`, `#admit` and `#process`. Replay, evaluation and the live
 * run are this one loop with other sources and sinks; there is no second code path.
 *
 * Everything that decides a weight or a score happens in the order of the log: the main thread sends commands, the
 * worker answers in order, outputs are appended in the order of the answers. Wall-clock time decides only when a
 * checkpoint is written, and, in a live run, when a half-full batch is closed; the journal remembers the latter.
 */
import type { Batcher } from '../batch/batcher.js'
import type { Config } from '../config/schema.js'
import { MillraceError } from '../domain/errors.js'
import type { Event, ScoreRequest, TimedEvent } from '../domain/event.js'
import type { RejectReason } from '../domain/outcome.js'
import type { RetrievalMetrics } from '../evaluate/retrieval.js'
import type { ExampleColumns } from '../features/columns.js'
import type { FeatureExtractor } from '../features/extract.js'
import type { DuplicateFilter } from '../join/duplicates.js'
import type { Joiner, JoinSubject } from '../join/join.js'
import type { StreamClock } from '../join/watermark.js'
import { createFloodGate } from '../observe/flood.js'
import type { Log } from '../observe/log.js'
import type { Recommender } from '../recommend/recommender.js'
import { deadLetter, type Refusal } from '../sink/dead-letter.js'
import { type Delivery, OUTPUT_NAMES } from '../sink/delivery.js'
import type { Source, SourceRecord } from '../source/source.js'
import type { Clock } from '../std/clock.js'
import type { Contest } from './contest.js'
import { type Counts, increment } from './counts.js'
import type { Dispatcher } from './dispatch.js'
import { eraseUser } from './erasure.js'
import type { Journal } from './journal.js'
import type { Position } from './position.js'
import type { Promotions } from './promotions.js'
import type { Relearning } from './relearning.js'

const FUTURE: Refusal = {
  reason: 'future-time',
  stage: 'clock',
  message: 'its time is far ahead of the records behind it',
}
/** Outputs are committed when so much is buffered. */
const COMMIT_BYTES = 1 << 20

export interface PipelineParts {
  config: Config
  source: Source
  clock: StreamClock<SourceRecord>
  /** What is wrong with the event's value as a label, if anything. */
  labelFault(event: Event): string | undefined
  duplicates: DuplicateFilter
  features: FeatureExtractor
  columns: ExampleColumns
  joiner: Joiner
  batcher: Batcher
  dispatcher: Dispatcher
  /** Where challengers learn beside. */
  contest: Contest | undefined
  /** What somebody wants to promote. */
  promotions: Promotions
  /** Top-N over the catalogue, where it is configured. */
  topN: { recommender: Recommender; metrics: RetrievalMetrics } | undefined
  journal: Journal
  position: Position
  counts: Counts
  delivery: Delivery
  /** Set while a live run repeats, after a crash, what was committed behind its checkpoint. */
  relearning: Relearning | undefined
  /** The source ends where a journal does, before this entry, not where the log does: what waits then goes on waiting. */
  repeatsTo: number | undefined
  wallClock: Clock
  logger: Log
  /** Writes a checkpoint; called when everything sent is answered and committed. */
  checkpoint(): Promise<void>
  /** The source never ends: what waits is not kept waiting, and outputs are committed after this wall-clock time. */
  live: LiveTiming | undefined
  onProgress(records: number, share: number | undefined): void
}

interface LiveTiming {
  lingerMs: number
  commitEveryMs: number
  /** How far outputs are visible is not kept with them, so the journal has to say it. */
  journalsCommits: boolean
}

export class Pipeline {
  readonly #parts: PipelineParts
  #nextMetrics: number
  #nextCheckpoint: number
  #checkpointAtMs: number
  #committedAtMs: number
  /** The commit under way; one at a time. */
  #committing: Promise<void> | undefined
  #failure: Error | undefined
  /** The journal tells more of this place, behind what is not done yet. */
  #isFollowingOn = false
  readonly #nextSaid: (reason: RejectReason) => number | undefined
  /** Since when steps wait for a version behind the one published last. */
  #waitingSinceMs: number | undefined
  #waitingBehind: number | undefined

  constructor(parts: PipelineParts) {
    this.#parts = parts
    this.#nextSaid = createFloodGate(parts.wallClock)
    const { config, position, wallClock } = parts
    const { metricsEvery } = config.outputs
    this.#nextMetrics = (Math.floor(position.records / metricsEvery) + 1) * metricsEvery
    this.#nextCheckpoint = position.records + config.checkpoint.everyEvents
    this.#checkpointAtMs = wallClock.monotonicMs() + config.checkpoint.every
    this.#committedAtMs = wallClock.monotonicMs()
  }

  /** Over an open source: runs until the log ends or `stop` is aborted; then everything is answered, written and checkpointed. */
  async run(stop: AbortSignal): Promise<void> {
    const { source, dispatcher, position, journal, repeatsTo, onProgress } = this.#parts
    let records: SourceRecord[] | undefined = []
    this.#followJournal()
    await this.#room()
    while (!stop.aborted) {
      records = await source.next()
      if (records === undefined) break
      for (const record of records) {
        this.#handle(record)
        if (dispatcher.full) await this.#room()
      }
      if (this.#parts.relearning !== undefined) {
        this.#passMissing()
        await this.#room()
        if (source.following !== true) this.#goLive(this.#parts.relearning)
      }
      // The source has given all that it could repeat.
      if (records.length === 0 && source.following !== true) this.#abandonJournal()
      await this.#afterBatch()
      onProgress(position.records, source.progress())
    }
    if (records === undefined && repeatsTo !== undefined) journal.restore(repeatsTo)
    else if (records === undefined && !position.ended) this.#end()
    // Nobody who sent an event waits for its prediction until the next start.
    else if (this.#isDecidedByClock) dispatcher.flush('linger')
    await this.#checkpoint()
  }

  #handle(record: SourceRecord): void {
    const { position, counts, journal, labelFault } = this.#parts
    if (record.outcome.kind === 'ok') {
      const event = record.outcome.value
      increment(counts.events, event.kind)
      const fault = labelFault(event)
      if (event.kind === 'erase') eraseUser(this.#parts, record, event)
      else if (fault === undefined) this.#admit(record, event)
      else this.#reject(record, 'invalid-number', { reason: 'invalid-number', stage: 'label', message: fault })
    } else if (record.outcome.kind === 'drop') {
      increment(counts.drops, record.outcome.reason)
    } else {
      this.#reject(record, record.outcome.reason)
    }
    position.nextOffsets[record.partition] = record.offset + 1n
    position.records++
    position.ended = false
    if (position.records >= this.#nextMetrics) {
      this.#nextMetrics += this.#parts.config.outputs.metricsEvery
      this.#parts.dispatcher.metrics()
    }
    if (journal.following) this.#followJournal()
  }

  /** Time first: a record far ahead of the stream waits until others have confirmed or contradicted it. */
  #admit(record: SourceRecord, event: TimedEvent): void {
    const { clock } = this.#parts
    const admission = clock.admit(event.eventTimeMs, record)
    if (admission === 'ordinary' || admission === 'late') this.#process(event, clock.watermarkMs)
    else if (admission === 'settled') this.#settle()
  }

  #settle(): void {
    const { clock, counts } = this.#parts
    for (const { payload, verdict, watermarkMs } of clock.settled) {
      if (verdict === 'rejected') this.#reject(payload, 'future-time', FUTURE)
      else if (verdict === 'duplicate') increment(counts.drops, 'duplicate')
      else if (payload.outcome.kind === 'ok') this.#process(payload.outcome.value as TimedEvent, watermarkMs)
    }
  }

  /** One event that counts, at its place: what is due by now, features and score, labels, state. */
  #process(event: TimedEvent, watermarkMs: number): void {
    const { position, duplicates, counts, joiner, batcher, dispatcher, features, topN } = this.#parts
    if (duplicates.isDuplicate(event.kind, event.eventId, event.eventTimeMs)) {
      increment(counts.drops, 'duplicate')
      return
    }
    joiner.advance(watermarkMs)
    if (batcher.tickDue(event.eventTimeMs)) dispatcher.flush('tick')
    position.admitted(event.eventTimeMs)
    switch (event.kind) {
      case 'score-request':
        this.#answer(event)
        break
      case 'impression':
      case 'click':
      case 'buy':
      case 'rating':
        joiner.handle(event)
    }
    features.observe(event)
    topN?.recommender.observe(event)
    if (batcher.learnDue) dispatcher.flush('count')
    else if (batcher.scoreDue) dispatcher.flushScores('count')
  }

  #answer(request: ScoreRequest): void {
    const { columns, features, dispatcher, topN } = this.#parts
    const { eventId, requestId, eventTimeMs, user, context } = request
    const found = request.candidates.length > 0 ? undefined : topN?.recommender.recommend(user, eventTimeMs)
    const candidates = found?.map(({ item }) => item) ?? request.candidates
    const subjects = candidates.map(
      (item): JoinSubject => ({ eventId, requestId, eventTimeMs, user, item, position: null, context }),
    )
    const rows = subjects.map(subject => {
      const row = columns.allocate()
      features.extract(subject, columns, row, false)
      return row
    })
    const retrieval = found === undefined ? undefined : Float64Array.from(found, ({ score }) => score)
    dispatcher.answerRequest(request, rows, subjects, retrieval)
  }

  /** A record that can not be used: kept byte for byte, with the reason. refusal: it was decoded and is refused later. */
  #reject(record: SourceRecord, reason: RejectReason, refusal?: Refusal): void {
    const { counts, delivery, source, dispatcher, live, logger } = this.#parts
    increment(counts.rejects, reason)
    const letter = deadLetter(source.partitions[record.partition] ?? '', record, refusal)
    dispatcher.inOrder(() => delivery.outputs.deadLetters.append(letter))
    // A finite run says in its report how many there were.
    const unsaid = live === undefined ? undefined : this.#nextSaid(reason)
    if (unsaid === undefined) return
    const { partition, offset } = letter
    logger.warn({ code: 'RECORD_REJECTED', reason, partition, offset, unsaid }, 'a record became a dead letter')
  }

  /** After a crash of a live run: close batches where the wall clock closed them before. */
  #followJournal(): void {
    const { journal, dispatcher, clock, position } = this.#parts
    this.#isFollowingOn = false
    for (let kind = journal.forcedHere(); kind !== undefined; kind = journal.forcedHere()) {
      // Only where records are gone that had told the time.
      if (journal.forcedTimeMs > position.eventTimeMs) {
        clock.witness(journal.forcedTimeMs)
        this.#settle()
      }
      if (typeof kind === 'object') {
        // What is told behind it comes when it is done.
        dispatcher.askPromotion(kind.promote)
        this.#isFollowingOn = true
        return
      }
      if (kind === 'score') dispatcher.flushScores('linger')
      else if (kind === 'publish') dispatcher.publishLingering()
      else dispatcher.flush('linger')
    }
  }

  async #room(): Promise<void> {
    const { dispatcher } = this.#parts
    await dispatcher.room()
    while (this.#isFollowingOn) {
      this.#followJournal()
      await dispatcher.room()
    }
  }

  /** Records that were taken out of the log are not waited for: the journal goes on where they would have been. */
  #passMissing(): void {
    const { source, position, journal } = this.#parts
    for (const [partition, offset] of (source.passed?.() ?? []).entries()) {
      if (offset > (position.nextOffsets[partition] ?? 0n)) position.nextOffsets[partition] = offset
    }
    if (journal.following) this.#followJournal()
  }

  #abandonJournal(): void {
    const { journal, logger, position } = this.#parts
    const entries = journal.abandon()
    if (entries > 0)
      logger.warn(
        { entries, records: position.records },
        'the journal goes on behind the end of the log; left as it is',
      )
  }

  /** The log ended: what is held or waits gets its last word. */
  #end(): void {
    const { clock, joiner, batcher, dispatcher, config, position } = this.#parts
    clock.end()
    this.#settle()
    if (config.join.atEnd === 'mature') joiner.end()
    batcher.releaseHeld()
    dispatcher.flush('end')
    dispatcher.metrics()
    dispatcher.publishLast()
    position.ended = true
  }

  /** Live, and nothing is repeated: that has all its batches from the log and the journal. */
  get #isDecidedByClock(): boolean {
    const { live, relearning, journal } = this.#parts
    return live !== undefined && relearning === undefined && !journal.following
  }

  async #afterBatch(): Promise<void> {
    const { config, dispatcher, wallClock, position, live } = this.#parts
    if (this.#isDecidedByClock) {
      await this.#promoteAsked()
      if (this.#lingered(live?.lingerMs ?? 0)) dispatcher.flush('linger')
      if (this.#publicationLingered()) dispatcher.publishLingering()
    }
    await dispatcher.room()
    if (this.#failure !== undefined) throw this.#failure
    if (this.#isCommitDue()) this.#commit()
    const due = position.records >= this.#nextCheckpoint || wallClock.monotonicMs() >= this.#checkpointAtMs
    if (!due) return
    await this.#checkpoint()
    this.#nextCheckpoint = position.records + config.checkpoint.everyEvents
    this.#checkpointAtMs = wallClock.monotonicMs() + config.checkpoint.every
  }

  /** Whoever asked hears of it when it is committed: from then on every restart and every replay does the same. */
  async #promoteAsked(): Promise<void> {
    const { dispatcher, promotions } = this.#parts
    for (let asked = promotions.next(); asked !== undefined; asked = promotions.next()) {
      try {
        dispatcher.askPromotion(asked.hash)
        await dispatcher.settled()
        await this.#committing
        this.#commit()
        await this.#committing
        if (this.#failure !== undefined) throw this.#failure
      } catch (error) {
        asked.reject(error)
        if (!(error instanceof MillraceError && error.code === 'REQUEST_INVALID')) throw error
        continue
      }
      asked.resolve()
    }
  }

  #isCommitDue(): boolean {
    const { delivery, live, relearning, wallClock } = this.#parts
    if (this.#committing !== undefined || relearning !== undefined) return false
    if (OUTPUT_NAMES.some(name => delivery.outputs[name].pendingBytes >= COMMIT_BYTES)) return true
    return live !== undefined && wallClock.monotonicMs() - this.#committedAtMs >= live.commitEveryMs
  }

  /** Outputs and offsets as one unit, at a point in the order of the answers: nothing waits for it. */
  #commit(): void {
    const { delivery, dispatcher, journal, live, position, source, wallClock } = this.#parts
    if (live?.journalsCommits === true && !journal.following) journal.commit(dispatcher.steps)
    const offsets = position.nextOffsets.map((next, index) => ({ partition: source.partitions[index] ?? '', next }))
    this.#committedAtMs = wallClock.monotonicMs()
    // Called in its place among the answers, so that it takes exactly what belongs before it.
    this.#committing = new Promise<void>((resolve, reject) => {
      dispatcher.inOrder(() => delivery.commit(offsets).then(resolve, reject))
    })
      .catch(error => {
        this.#failure ??= error
      })
      .finally(() => {
        this.#committing = undefined
      })
  }

  async #checkpoint(): Promise<void> {
    const { dispatcher, relearning } = this.#parts
    await dispatcher.settled()
    await this.#committing
    // What is being repeated is committed already, and its checkpoint would go back behind the journal's end.
    if (relearning !== undefined) return
    this.#commit()
    await this.#committing
    if (this.#failure !== undefined) throw this.#failure
    await this.#parts.checkpoint()
  }

  /** Everything that was committed before the crash has been repeated: from here on outputs count. */
  #goLive(relearning: Relearning): void {
    const { dispatcher, logger, position, wallClock } = this.#parts
    this.#abandonJournal()
    this.#parts.relearning = undefined
    const isPublishedOtherwise = relearning.finish(dispatcher)
    logger.info({ records: position.records, step: dispatcher.steps }, 'everything committed has been learned again')
    if (!isPublishedOtherwise) return
    logger.warn(
      { step: dispatcher.steps },
      'how versions are published was changed since the last checkpoint: the next one is full',
    )
    // Behind it the settings are those of now, whatever happens.
    this.#checkpointAtMs = wallClock.monotonicMs()
  }

  /** Whether what was learned has waited for as much wall-clock time as it may wait in event time. */
  #publicationLingered(): boolean {
    const { config, dispatcher, wallClock } = this.#parts
    const { deltaEvery } = config.outputs
    if (deltaEvery === undefined) return false
    const { version } = dispatcher
    if (dispatcher.unpublished === 0 || version !== this.#waitingBehind) {
      this.#waitingBehind = version
      this.#waitingSinceMs = undefined
    }
    if (dispatcher.unpublished === 0) return false
    this.#waitingSinceMs ??= wallClock.monotonicMs()
    return wallClock.monotonicMs() - this.#waitingSinceMs >= deltaEvery
  }

  #lingered(lingerMs: number): boolean {
    const { batcher, wallClock } = this.#parts
    const sinceMs = batcher.oldestWaitingSinceMs
    return sinceMs !== undefined && wallClock.monotonicMs() - sinceMs >= lingerMs
  }
}

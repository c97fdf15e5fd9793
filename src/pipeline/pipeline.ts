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
import type { Event, ScoreRequest } from '../domain/event.js'
import type { RejectReason } from '../domain/outcome.js'
import type { ExampleColumns } from '../features/columns.js'
import type { FeatureExtractor } from '../features/extract.js'
import type { DuplicateFilter } from '../join/duplicates.js'
import type { Joiner, JoinSubject } from '../join/join.js'
import type { StreamClock } from '../join/watermark.js'
import type { Log } from '../observe/log.js'
import { deadLetter, type Refusal } from '../sink/dead-letter.js'
import type { Source, SourceRecord } from '../source/source.js'
import type { Clock } from '../std/clock.js'
import { type Counts, increment } from './counts.js'
import type { Dispatcher } from './dispatch.js'
import type { Journal } from './journal.js'
import { OUTPUT_NAMES, type Outputs } from './outputs.js'
import type { Position } from './position.js'

const FUTURE: Refusal = {
  reason: 'future-time',
  stage: 'clock',
  message: 'its time is far ahead of the records behind it',
}
/** Outputs are written out when so much is buffered. */
const FLUSH_BYTES = 1 << 20

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
  journal: Journal
  position: Position
  counts: Counts
  outputs: Outputs
  wallClock: Clock
  logger: Log
  /** Writes a checkpoint; called when everything sent is answered. */
  checkpoint(): Promise<void>
  onProgress(records: number, share: number | undefined): void
}

export class Pipeline {
  readonly #parts: PipelineParts
  #nextMetrics: number
  #nextCheckpoint: number
  #checkpointAtMs: number
  #flushedAtMs: number

  constructor(parts: PipelineParts) {
    this.#parts = parts
    const { config, position, wallClock } = parts
    const { metricsEvery } = config.outputs
    this.#nextMetrics = (Math.floor(position.records / metricsEvery) + 1) * metricsEvery
    this.#nextCheckpoint = position.records + config.checkpoint.everyEvents
    this.#checkpointAtMs = wallClock.monotonicMs() + config.checkpoint.every
    this.#flushedAtMs = wallClock.monotonicMs()
  }

  /** Over an open source: runs until the log ends or `stop` is aborted; then everything is answered, written and checkpointed. */
  async run(stop: AbortSignal): Promise<void> {
    const { source, dispatcher, position, onProgress } = this.#parts
    let records: SourceRecord[] | undefined = []
    this.#followJournal()
    while (!stop.aborted) {
      records = await source.next()
      if (records === undefined) break
      for (const record of records) {
        this.#handle(record)
        if (dispatcher.full) await dispatcher.room()
      }
      if (records.length === 0) this.#abandonJournal()
      await this.#afterBatch()
      onProgress(position.records, source.progress())
    }
    if (records === undefined && !position.ended) this.#end()
    await dispatcher.settled()
    await this.#parts.checkpoint()
  }

  #handle(record: SourceRecord): void {
    const { position, counts, journal, labelFault } = this.#parts
    if (record.outcome.kind === 'ok') {
      const event = record.outcome.value
      increment(counts.events, event.kind)
      const fault = labelFault(event)
      if (fault === undefined) this.#admit(record, event)
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
  #admit(record: SourceRecord, event: Event): void {
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
      else if (payload.outcome.kind === 'ok') this.#process(payload.outcome.value, watermarkMs)
    }
  }

  /** One event that counts, at its place: what is due by now, features and score, labels, state. */
  #process(event: Event, watermarkMs: number): void {
    const { position, duplicates, counts, joiner, batcher, dispatcher, features } = this.#parts
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
    if (batcher.learnDue) dispatcher.flush('count')
    else if (batcher.scoreDue) dispatcher.flushScores('count')
  }

  #answer(request: ScoreRequest): void {
    const { columns, features, dispatcher } = this.#parts
    const { eventId, requestId, eventTimeMs, user, context } = request
    const subjects = request.candidates.map(
      (item): JoinSubject => ({ eventId, requestId, eventTimeMs, user, item, position: null, context }),
    )
    const rows = subjects.map(subject => {
      const row = columns.allocate()
      features.extract(subject, columns, row, false)
      return row
    })
    dispatcher.answerRequest(request, rows, subjects)
  }

  /** A record that can not be used: kept byte for byte, with the reason. refusal: it was decoded and is refused later. */
  #reject(record: SourceRecord, reason: RejectReason, refusal?: Refusal): void {
    const { counts, outputs, source } = this.#parts
    increment(counts.rejects, reason)
    outputs.deadLetters.append(deadLetter(source.partitions[record.partition] ?? '', record, refusal))
  }

  /** After a crash of a live run: close batches where the wall clock closed them before. */
  #followJournal(): void {
    const { journal, dispatcher } = this.#parts
    for (let kind = journal.forcedHere(); kind !== undefined; kind = journal.forcedHere()) {
      if (kind === 'score') dispatcher.flushScores('linger')
      else dispatcher.flush('linger')
    }
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
    const { clock, joiner, dispatcher, config, position } = this.#parts
    clock.end()
    this.#settle()
    if (config.join.atEnd === 'mature') joiner.end()
    dispatcher.flush('end')
    dispatcher.metrics()
    dispatcher.snapshot()
    position.ended = true
  }

  async #afterBatch(): Promise<void> {
    const { config, dispatcher, journal, outputs, wallClock, position } = this.#parts
    if (config.source.follow && !journal.following && this.#lingered()) dispatcher.flush('linger')
    await dispatcher.room()
    const pendingBytes = OUTPUT_NAMES.reduce((sum, name) => Math.max(sum, outputs[name].pendingBytes), 0)
    const isAwaited = config.source.follow && wallClock.monotonicMs() - this.#flushedAtMs >= config.batch.linger
    if (pendingBytes >= FLUSH_BYTES || (pendingBytes > 0 && isAwaited)) await this.#flushOutputs()
    const due = position.records >= this.#nextCheckpoint || wallClock.monotonicMs() >= this.#checkpointAtMs
    if (!due) return
    await dispatcher.settled()
    await this.#parts.checkpoint()
    this.#nextCheckpoint = position.records + config.checkpoint.everyEvents
    this.#checkpointAtMs = wallClock.monotonicMs() + config.checkpoint.every
    this.#flushedAtMs = wallClock.monotonicMs()
  }

  #lingered(): boolean {
    const { config, batcher, wallClock } = this.#parts
    const sinceMs = batcher.oldestWaitingSinceMs
    return sinceMs !== undefined && wallClock.monotonicMs() - sinceMs >= config.batch.linger
  }

  async #flushOutputs(): Promise<void> {
    for (const name of OUTPUT_NAMES) await this.#parts.outputs[name].flush()
    this.#flushedAtMs = this.#parts.wallClock.monotonicMs()
  }
}

/**
 * Events that come over HTTP, on their way into the log. Checked as the log's reader will check them, then written in
 * groups: whoever comes while a group is being written is in the next one. What waits is bounded; beyond it callers are
 * told to come again. Nothing here decides what is learned: the log does.
 */
import type { LoadedConfig } from '../config/load.js'
import { createRecordCheck } from '../decode/checked-record.js'
import { MillraceError } from '../domain/errors.js'
import { createLabelCheck } from '../join/label-range.js'
import type { Log } from '../observe/log.js'
import type { EventFault, EventTaker, PostResult, Taken } from '../serve/http/event-routes.js'
import type { PostedErase, PostedEvent } from '../serve/http/event-schemas.js'
import type { Clock } from '../std/clock.js'
import type { CheckedEvent, EventStore } from './event-store.js'

/** Of events that wait to be written. */
const MAX_WAITING_BYTES = 16 << 20

interface Waiting {
  events: readonly CheckedEvent[]
  bytes: number
  answer(taken: Taken): void
}

const refused = (status: 403 | 409 | 503 | 507, reason: string, retryAfterSeconds?: number): Taken => ({
  kind: 'refused',
  status,
  reason,
  ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
})

const TAKEN_OVER = refused(409, 'another process writes to the log: post events to that one, or stop it')

export class Ingest implements EventTaker {
  /** So many events since the process began. */
  readonly counts: Record<PostResult, number> = { accepted: 0, faulty: 0, refused: 0 }
  readonly #check: (posted: PostedEvent | PostedErase) => CheckedEvent | string
  readonly #logger: Log
  #store: EventStore | undefined
  /** Why nothing is taken. */
  #refusal: Taken | undefined
  #waiting: Waiting[] = []
  #waitingBytes = 0
  #writing: Promise<void> | undefined

  constructor({ config }: LoadedConfig, logger: Log, clock: Clock) {
    // Decoders of all types of event: made for the first one that is posted, if any ever is.
    let checkRecord: ReturnType<typeof createRecordCheck> | undefined
    const labelFault = createLabelCheck(config.tasks)
    const { maxFuture } = config.join
    this.#logger = logger
    this.#refusal = config.http.ingest
      ? refused(503, 'the log is not there yet', 2)
      : refused(403, 'events are not taken over HTTP here; http.ingest in the configuration turns it on')
    this.#check = ({ type: kind, eventTime, ...fields }) => {
      const lack = this.#store?.lacks?.(kind)
      if (lack !== undefined) return lack
      const nowMs = clock.nowMs()
      const timeMs = eventTime ?? nowMs
      if (timeMs > nowMs + maxFuture)
        return `eventTime is ${timeMs - nowMs} ms ahead of the clock here, more than join.maxFuture`
      checkRecord ??= createRecordCheck(config.source)
      const { outcome, record, body } = checkRecord(kind, { ...fields, eventTime: timeMs })
      if (outcome.kind !== 'ok') return outcome.kind === 'reject' ? outcome.message : outcome.reason
      return labelFault(outcome.value) ?? { event: outcome.value, record, body }
    }
  }

  /** From now on events go there. */
  begin(store: EventStore): void {
    this.#store = store
    this.#refusal = undefined
  }

  /** From now on none is taken, whatever the caller does. */
  refuse(reason: string): void {
    this.#refusal = refused(409, reason)
  }

  count(result: PostResult, events: number): void {
    this.counts[result] += events
  }

  async take(posted: readonly (PostedEvent | PostedErase)[]): Promise<Taken> {
    if (this.#refusal !== undefined) return this.#refusal
    const events: CheckedEvent[] = []
    const faults: EventFault[] = []
    for (const [index, one] of posted.entries()) {
      const checked = this.#check(one)
      if (typeof checked === 'string') faults.push({ index, message: checked })
      else events.push(checked)
    }
    if (faults.length > 0) return { kind: 'faulty', faults }
    const bytes = events.reduce((sum, { body }) => sum + body.length, 0)
    if (this.#waitingBytes > 0 && this.#waitingBytes + bytes > MAX_WAITING_BYTES)
      return refused(503, 'more events wait to be written than there is room for', 1)
    this.#waitingBytes += bytes
    return new Promise(resolve => {
      this.#waiting.push({ events, bytes, answer: resolve })
      this.#writing ??= this.#write().finally(() => {
        this.#writing = undefined
      })
    })
  }

  /** What waits is written first. */
  async close(): Promise<void> {
    this.#refusal = refused(503, 'the log is being closed', 2)
    await this.#writing
    await this.#store?.close()
  }

  async #write(): Promise<void> {
    while (this.#waiting.length > 0) {
      const group = this.#waiting
      this.#waiting = []
      const taken = await this.#append(group.flatMap(({ events }) => events))
      for (const { bytes, answer } of group) {
        this.#waitingBytes -= bytes
        answer(taken)
      }
    }
  }

  async #append(events: readonly CheckedEvent[]): Promise<Taken> {
    if (this.#store === undefined) return TAKEN_OVER
    try {
      await this.#store.append(events)
      return { kind: 'taken' }
    } catch (error) {
      const { code, message } = error as MillraceError
      this.#logger.error({ code, reason: message }, 'posted events could not be written to the log')
      if (!(error instanceof MillraceError)) return refused(503, 'the log can not be written to', 5)
      if (code === 'DISK_FULL') return refused(507, 'no space is left for the log')
      if (code !== 'LOG_TAKEN') return refused(503, 'the log can not be written to', 5)
      // For good: whoever has the log now must not be disturbed.
      this.#store = undefined
      this.#refusal = TAKEN_OVER
      return TAKEN_OVER
    }
  }
}

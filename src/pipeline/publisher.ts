/**
 * Publishes versions of the model: when, as what, and under which keys.
 *
 * When: behind a step, full after so many steps, else a delta after so much event time; so it follows from the log, and
 * nothing of it reaches the model. Live, a stream that pauses has no event time: then the wall clock publishes, and the
 * journal says where (linger). The first version is always full, a delta always follows the version before it.
 *
 * With the publish gate on, what is due is decided about between two records (gatekeeper.ts); without, it is sent at once.
 *
 * A version is its chunks and then its manifest: a reader that finds the manifest has had all chunks, or knows that some
 * are gone. On a compacted topic the keys are generation/sequence/part/chunk. A full snapshot begins the other of two
 * generations, deltas count on in it; so it never takes the place of what it makes obsolete, and when it is whole, all
 * keys of the generation before get tombstones. The keys of two chains are all that the topic ever holds.
 */
import type { Config } from '../config/schema.js'
import type { NamedPart, RowEncoding, SnapshotKind } from '../domain/state.js'
import type { Outputs } from '../sink/delivery.js'
import type { ManifestPart } from '../sink/output-records.js'
import { checksumOf, encodePublished } from '../snapshot/publication.js'
import type { Gatekeeper } from './gatekeeper.js'
import type { LearnerPort, SnapshotAnswer } from './learner.js'

const CHUNK_BYTES = 1 << 20
/** Left of the largest message for what stands around a chunk. */
const AROUND_CHUNK_BYTES = 16_384
/** Where there are no deltas, a full version that was held back is tried again after this share of the steps between two. */
const RETRY_SHARE = 1 / 20

export interface PublisherDeps {
  learner: Pick<LearnerPort, 'snapshot'>
  outputs: Pick<Outputs, 'snapshots'>
  /** Of what answers now. */
  configHash(): string
  everySteps: number
  /** undefined: no deltas. */
  deltaEveryMs: number | undefined
  /** How the learner publishes rows. */
  rowEncoding: RowEncoding
  /** Of a topic, which is compacted; undefined: a log of files. */
  maxMessageBytes: number | undefined
  /** What the main thread has to publish, as of now; nobody else owns the arrays. */
  parts(kind: SnapshotKind): NamedPart[]
  /** … and what of it moves with the answers: as of the answer's place among them. */
  answeredParts(): NamedPart[]
  /** Where the stream is. */
  head(): { eventTimeMs: number; offsets: { partition: string; offset: string }[] }
  /** Sends a command whose answer has its place among the others. */
  send<T>(answer: Promise<T>, then: (answer: T) => void): void
  /** Absent: whatever is due is published. */
  gatekeeper?: Gatekeeper | undefined
}

export interface PublisherState {
  version: number
  kind: SnapshotKind
  eventTimeMs: number
  generation: number
  sequence: number
  checksum: string
  /** On the topic: those of the current generation. */
  keys: string[]
  /** Whether the learner has kept a record of the changes since. */
  isTracked: boolean
  /** How its rows were published. Absent: by a program that knew float32 only. */
  rowEncoding?: RowEncoding
}

/** The settings that decide when versions are published, as what, and under which keys. */
export function publishingOf({ snapshotEverySteps, deltaEvery, snapshotRows, kafka }: Config['outputs']): string {
  return [snapshotEverySteps, deltaEvery ?? 'none', snapshotRows, kafka?.maxMessageBytes ?? 'files'].join(' ')
}

export class SnapshotPublisher {
  readonly #deps: PublisherDeps
  /** The version sent last; checksum and keys are known when it is answered. */
  #last: PublisherState | undefined

  constructor(deps: PublisherDeps) {
    this.#deps = deps
  }

  /** Steps of the version that was published last, or held back since; undefined: none yet. */
  get version(): number | undefined {
    return this.#newest?.version
  }

  /** Something is due that is decided about when everything sent is answered. */
  get isWaiting(): boolean {
    return this.#deps.gatekeeper?.isWaiting === true
  }

  /** Called behind each step, with its number. */
  afterStep(step: number): void {
    const { everySteps, deltaEveryMs, head, gatekeeper } = this.#deps
    if (everySteps > 0 && step % everySteps === 0) this.publish('full', step)
    else if (deltaEveryMs !== undefined) {
      const newest = this.#newest
      if (newest === undefined || head().eventTimeMs - newest.eventTimeMs >= deltaEveryMs) this.publishNext(step)
    } else if (gatekeeper?.owesFull === true && step % Math.ceil(everySteps * RETRY_SHARE) === 0)
      this.publish('full', step)
  }

  /** A delta if there is something that it can follow. */
  publishNext(step: number): void {
    this.publish(this.#last?.isTracked === true ? 'delta' : 'full', step)
  }

  /** The log has ended: its last version in full, unless that is what is there. */
  atEnd(step: number): void {
    if (this.#last?.version !== step || this.#last.kind !== 'full') this.publish('full', step)
  }

  /** When everything is answered and no record has been touched since: publishes what is due, or holds it back. */
  decide(step: number): void {
    const { gatekeeper, head } = this.#deps
    const kind = gatekeeper?.decide(step, head().eventTimeMs, this.#last === undefined)
    if (kind !== undefined) this.#publish(kind, step)
  }

  get #newest(): { version: number; eventTimeMs: number } | undefined {
    return this.#deps.gatekeeper?.tried ?? this.#last
  }

  /** At once, or when it has been decided about. */
  publish(kind: SnapshotKind, step: number): void {
    const { gatekeeper } = this.#deps
    if (gatekeeper === undefined) this.#publish(kind, step)
    else gatekeeper.offer(kind)
  }

  #publish(kind: SnapshotKind, version: number): void {
    const { learner, head, send, deltaEveryMs, rowEncoding } = this.#deps
    const parent = this.#last
    const { eventTimeMs, offsets } = head()
    const isFull = kind === 'full'
    const generation = parent === undefined ? 0 : isFull ? 1 - parent.generation : parent.generation
    const sequence = parent === undefined || isFull ? 0 : parent.sequence + 1
    const isTracked = deltaEveryMs !== undefined
    const next = { version, kind, eventTimeMs, generation, sequence, checksum: '', keys: [], isTracked, rowEncoding }
    this.#last = next
    send(learner.snapshot(kind, this.#deps.parts(kind)), answer => this.#append(next, parent, offsets, answer))
  }

  /** The next version is full: another model answers, which knows of none, or the last one has not reached anybody. */
  startOver(): void {
    if (this.#last !== undefined) this.#last.isTracked = false
  }

  /** Only when everything is answered. */
  saveState(): PublisherState | null {
    if (this.#last === undefined) return null
    // A run without deltas keeps no record of changes: when they are wanted again, a full version comes first.
    return { ...this.#last, isTracked: this.#last.isTracked && this.#deps.deltaEveryMs !== undefined }
  }

  loadState(state: PublisherState | null): void {
    // Rows are changed by rows of the same encoding only.
    const isSame = (state?.rowEncoding ?? 'float32') === this.#deps.rowEncoding
    this.#last = state === null ? undefined : { ...state, isTracked: state.isTracked && isSame }
  }

  #append(
    next: PublisherState,
    before: PublisherState | undefined,
    offsets: { partition: string; offset: string }[],
    answer: SnapshotAnswer,
  ): void {
    const { outputs, configHash, maxMessageBytes, answeredParts } = this.#deps
    const parts = [...answer.parts, ...answeredParts().map(([name, published]) => encodePublished(name, published))]
    const checksum = checksumOf(parts.map(({ part }) => part))
    const { metrics } = answer
    const { version, kind, eventTimeMs, generation, sequence } = next
    const parent = kind === 'full' ? undefined : before
    const head = { version, kind, parent: parent?.version ?? null }
    const keys: string[] = []
    const keyOf = (...place: (string | number)[]) => {
      const key = [generation, sequence, ...place].join('/')
      keys.push(key)
      return key
    }
    const chunkBytes =
      maxMessageBytes === undefined ? CHUNK_BYTES : Math.max(1024, maxMessageBytes - AROUND_CHUNK_BYTES)
    const listed: ManifestPart[] = []
    for (const { part, bytes } of parts) {
      const chunks = Math.ceil(bytes.length / chunkBytes)
      listed.push({ ...part, chunks })
      for (let chunk = 0; chunk < chunks; chunk++) {
        const payload = bytes.subarray(chunk * chunkBytes, (chunk + 1) * chunkBytes)
        const record = { ...head, part: part.name, chunk, chunks, payload, manifest: null }
        outputs.snapshots.append({ key: keyOf(part.name, chunk), record })
      }
    }
    const parentChecksum = parent?.checksum ?? null
    const about = {
      configHash: configHash(),
      eventTime: eventTimeMs,
      offsets,
      metrics,
      parts: listed,
      parentChecksum,
      checksum,
    }
    const record = { ...head, part: '', chunk: 0, chunks: 0, payload: new Uint8Array(0), manifest: about }
    outputs.snapshots.append({ key: keyOf('manifest'), record })
    next.checksum = checksum
    if (maxMessageBytes === undefined) return
    if (parent !== undefined) next.keys = [...parent.keys, ...keys]
    else {
      for (const key of before?.keys ?? []) outputs.snapshots.append({ key, record: null })
      next.keys = keys
    }
  }
}

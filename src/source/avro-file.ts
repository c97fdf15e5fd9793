/**
 * An event log of Avro container files as a source; contract in source.ts. A log is a folder of partition folders
 * (p00/, p01/ …, in the order of their names) of segment files, or a folder with segment files of its own: one partition.
 *
 * Order of a finite log: of the partitions' heads, the one with the smallest event time comes next, ties by partition
 * index; what could not be decoded has no time and follows its predecessor at once. So the order is a function of the log
 * and of the offsets that reading started from.
 *
 * Order of a log that grows, and of one of messages: that of topics (merge.ts). What the clock decides there is handed to
 * onDecision, when all records before it have been given and none behind it has; after a crash resume() gives the decisions
 * back, and until `until` is reached the clock has no say. Time is what was spent waiting for records: what the caller
 * does meanwhile makes no partition idle.
 */
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { MillraceError } from '../domain/errors.js'
import { type Log, silentLog } from '../observe/log.js'
import { Partition } from './partition.js'
import { ReadingOrder } from './reading-order.js'
import type { Resume } from './repetition.js'
import type { DecoderFactory, MergeDecision, Source, SourceRecord } from './source.js'

export interface AvroFileSourceOptions {
  /** Folder of the log. */
  path: string
  decoderFor: DecoderFactory
  /** A log of messages: its partitions are merged as those of topics are, when it is finite too. */
  asTopics?: boolean
  /** Where partitions are merged as those of topics are: config.join.maxFuture. Default: nothing is too far. */
  maxFutureMs?: number
  /** Wait for new records at the end. Partitions are those that are there at open(). */
  follow?: boolean
  /** Follow: how long next() waits for records, and the others for an empty partition. */
  idleMs?: number
  /** Follow: what the clock decided; belongs into the journal. */
  onDecision?(decision: MergeDecision): void
  logger?: Log
  /** How many bytes of a damaged stretch its dead letter holds. */
  keepBytes?: number
  /** Follow: waits between two looks at the files. */
  wait?: (ms: number) => Promise<unknown>
}

const BATCH_RECORDS = 1024
const POLL_MS = 50

interface Lane {
  partition: Partition
  /** unknown: refill() will tell. */
  state: 'unknown' | 'head' | 'wait' | 'end'
}

export class AvroFileSource implements Source {
  readonly #options: AvroFileSourceOptions
  readonly #idleMs: number
  readonly #wait: (ms: number) => Promise<unknown>
  #names: string[] = []
  #lanes: Lane[] = []
  /** Absent: by the earliest head. */
  #order: ReadingOrder<Partition> | undefined
  #resume: Resume | undefined
  /** All the time that was spent waiting. */
  #waitedMs = 0
  #closed = false

  constructor(options: AvroFileSourceOptions) {
    this.#options = options
    this.#idleMs = options.idleMs ?? 200
    this.#wait = options.wait ?? sleep
  }

  /** Known from open() on. */
  get partitions(): readonly string[] {
    return this.#names
  }

  /** Before open(): where the restored state stands, and what is to be read as it was read before. */
  resume(resume: Resume): void {
    this.#resume = resume
  }

  async open(offsets: readonly bigint[]): Promise<void> {
    const { path, decoderFor, follow = false, keepBytes = 1 << 20, asTopics = false } = this.#options
    this.#names = await listPartitions(path)
    if (offsets.length > this.#names.length) {
      const message = `${path} has ${this.#names.length} partitions, but reading should go on in ${offsets.length}`
      throw new MillraceError('LOG_NOT_FOUND', message)
    }
    // Beside a live run there may be blocks that are being written.
    const grows = follow || this.#resume?.thenEnd === true
    this.#lanes = this.#names.map((name, index) => {
      const folder = join(path, name)
      return {
        partition: new Partition({ name, folder, index, follow: grows, decoderFor, keepBytes }),
        state: 'unknown',
      }
    })
    if (follow || asTopics || this.#resume !== undefined) this.#order = this.#createOrder(this.#resume)
    await Promise.all(this.#lanes.map(({ partition }, index) => partition.open(offsets[index] ?? 0n)))
    this.#order?.joinLate()
  }

  async next(): Promise<SourceRecord[] | undefined> {
    const batch: SourceRecord[] = []
    const pollMs = Math.max(1, Math.min(POLL_MS, this.#idleMs))
    let waitedMs = 0
    if (this.#order?.isRepeated === true) {
      if (this.#order.thenEnd) return undefined
      this.#goOn()
    }
    this.#lookAgain()
    while (!this.#closed) {
      await Promise.all(this.#lanes.map(refill))
      const taken = this.#take(batch)
      if (batch.length >= BATCH_RECORDS || this.#order?.isRepeated === true) return batch
      if (taken > 0) continue
      const isAtEnd = this.#lanes.every(lane => lane.state === 'end')
      if (this.#order?.following === true && (isAtEnd || waitedMs >= this.#idleMs)) this.#order.giveUp()
      else if (isAtEnd) return batch.length > 0 ? batch : undefined
      else if (batch.length > 0 || waitedMs >= this.#idleMs) return batch
      else {
        await this.#wait(pollMs)
        waitedMs += pollMs
        this.#waitedMs += pollMs
        this.#lookAgain()
      }
    }
    return undefined
  }

  progress(): number | undefined {
    if (this.#options.follow === true) return undefined
    let read = 0
    let all = 0
    for (const { partition } of this.#lanes) {
      const { done, total } = partition.progress()
      read += done
      all += total
    }
    return all === 0 ? 1 : read / all
  }

  get following(): boolean {
    return this.#order?.following === true
  }

  standing(): MergeDecision[] {
    return this.#order?.standing() ?? []
  }

  async close(): Promise<void> {
    this.#closed = true
    await Promise.all(this.#lanes.map(lane => lane.partition.close()))
  }

  #createOrder(resume: Resume | undefined): ReadingOrder<Partition> {
    const { path, maxFutureMs = Number.POSITIVE_INFINITY, onDecision, logger = silentLog } = this.#options
    return new ReadingOrder({
      lanes: this.#lanes.map(({ partition }) => partition),
      maxFutureMs,
      idleMs: this.#idleMs,
      onDecision: decision => onDecision?.(decision),
      resume,
      lost: places => new MillraceError('LOG_CORRUPT', `${path} does not hold what was recorded of it up to ${places}`),
      logger,
    })
  }

  /** What was to be repeated has been. */
  #goOn(): void {
    if (this.#options.follow === true) this.#order?.goLive()
    else this.#order = this.#options.asTopics === true ? this.#createOrder(undefined) : undefined
  }

  /** Of a log that grows: what had no more may have it now. */
  #lookAgain(): void {
    for (const lane of this.#lanes) {
      if (lane.state === 'wait' || (lane.state === 'head' && lane.partition.isDry && !lane.partition.ended))
        lane.state = 'unknown'
    }
  }

  /** Takes heads in order until the batch is full or a partition has to be refilled; returns how many. */
  #take(batch: SourceRecord[]): number {
    const before = batch.length
    while (batch.length < BATCH_RECORDS) {
      const partition = this.#order === undefined ? this.#earliest() : this.#order.next(this.#nowMs(batch))
      const record = partition?.head
      if (partition === undefined || record === undefined) break
      batch.push(record)
      partition.advance()
      if (!partition.needsRefill) continue
      const lane = this.#lanes[partition.index]
      if (lane !== undefined) lane.state = 'unknown'
      break
    }
    return batch.length - before
  }

  /**
   * The clock decides before the first record of a batch only. So a decision has its place in the journal exactly where it
   * has it in the log, and a checkpoint never lies between the two.
   */
  #nowMs(batch: readonly SourceRecord[]): number | undefined {
    return this.#options.follow === true && batch.length === 0 ? this.#waitedMs : undefined
  }

  #earliest(): Partition | undefined {
    let first: Partition | undefined
    for (const { state, partition } of this.#lanes) {
      if (state !== 'head') continue
      if (first === undefined || partition.headTimeMs < first.headTimeMs) first = partition
    }
    return first
  }
}

async function refill(lane: Lane): Promise<void> {
  if (lane.state === 'unknown') lane.state = await lane.partition.refill()
}

/** Names of the partition folders; [''] if the segments lie in the folder itself. */
export async function listPartitions(path: string): Promise<string[]> {
  try {
    const names = (await readdir(path)).sort()
    const folders: string[] = []
    for (const name of names) {
      const folder = join(path, name)
      const isPartition = (await stat(folder)).isDirectory() && (/^p\d+$/.test(name) || (await hasSegments(folder)))
      if (isPartition) folders.push(name)
    }
    if (folders.length > 0) return folders
    if (names.some(name => name.endsWith('.avro'))) return ['']
  } catch (cause) {
    throw new MillraceError('LOG_NOT_FOUND', `${path}: ${(cause as Error).message}`, { cause })
  }
  throw new MillraceError('LOG_NOT_FOUND', `${path} has no partition folders and no .avro files`)
}

async function hasSegments(folder: string): Promise<boolean> {
  return (await readdir(folder)).some(name => name.endsWith('.avro'))
}

/**
 * An event log of Avro container files as a source; contract in source.ts. A log is a folder of partition folders
 * (p00/, p01/ …, in the order of their names) of segment files, or a folder with segment files of its own: one partition.
 *
 * Order: of the partitions' heads, the one with the smallest event time comes next, ties by partition index; what could
 * not be decoded has no time and follows its predecessor at once. So the order is a function of the log and of the
 * offsets that reading started from. Following a growing log, a partition that has nothing is waited for `idleMs` before
 * the others go on without it: only there does the order depend on when records arrive (the journal keeps it).
 */
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { MillraceError } from '../domain/errors.js'
import { EventTimeMerge } from './merge.js'
import { Partition } from './partition.js'
import type { DecoderFactory, Source, SourceRecord } from './source.js'

export interface AvroFileSourceOptions {
  /** Folder of the log. */
  path: string
  decoderFor: DecoderFactory
  /** A finite log of messages: partitions are merged as those of topics are (merge.ts), with this join.maxFuture. */
  asTopics?: { maxFutureMs: number } | undefined
  /** Wait for new records at the end. Partitions are those that are there at open(). */
  follow?: boolean
  /** Follow: how long next() waits for records, and the others for an empty partition. */
  idleMs?: number
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
  waitedMs: number
}

export class AvroFileSource implements Source {
  readonly #options: AvroFileSourceOptions
  readonly #idleMs: number
  readonly #wait: (ms: number) => Promise<unknown>
  #names: string[] = []
  #lanes: Lane[] = []
  #topicOrder: EventTimeMerge | undefined
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

  async open(offsets: readonly bigint[]): Promise<void> {
    const { path, decoderFor, follow = false, keepBytes = 1 << 20, asTopics } = this.#options
    this.#names = await listPartitions(path)
    if (offsets.length > this.#names.length) {
      const message = `${path} has ${this.#names.length} partitions, but reading should go on in ${offsets.length}`
      throw new MillraceError('LOG_NOT_FOUND', message)
    }
    this.#lanes = this.#names.map((name, index) => {
      const partition = new Partition({ folder: join(path, name), index, follow, decoderFor, keepBytes })
      return { partition, state: 'unknown', waitedMs: 0 }
    })
    if (asTopics !== undefined && !follow) {
      this.#topicOrder = new EventTimeMerge({ ...asTopics, idleMs: 0, onDecision() {} })
      for (const { partition } of this.#lanes) this.#topicOrder.add(partition)
    }
    await Promise.all(this.#lanes.map(({ partition }, index) => partition.open(offsets[index] ?? 0n)))
  }

  async next(): Promise<SourceRecord[] | undefined> {
    const batch: SourceRecord[] = []
    const pollMs = Math.max(1, Math.min(POLL_MS, this.#idleMs))
    let waitedMs = 0
    for (const lane of this.#lanes) if (lane.state === 'wait') lane.state = 'unknown'
    while (!this.#closed) {
      await Promise.all(this.#lanes.map(refill))
      if (this.#lanes.every(lane => lane.state === 'end')) return batch.length > 0 ? batch : undefined
      const isHeld = this.#lanes.some(lane => lane.state === 'wait' && lane.waitedMs < this.#idleMs)
      if (!isHeld && this.#lanes.some(lane => lane.state === 'head')) {
        this.#merge(batch)
        if (batch.length >= BATCH_RECORDS) return batch
        continue
      }
      if (batch.length > 0 || waitedMs >= this.#idleMs) return batch
      await this.#wait(pollMs)
      waitedMs += pollMs
      for (const lane of this.#lanes) {
        if (lane.state !== 'wait') continue
        lane.waitedMs += pollMs
        lane.state = 'unknown'
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

  async close(): Promise<void> {
    this.#closed = true
    await Promise.all(this.#lanes.map(lane => lane.partition.close()))
  }

  /** Takes heads in order until the batch is full or a partition has to be refilled. */
  #merge(batch: SourceRecord[]): void {
    while (batch.length < BATCH_RECORDS) {
      const first = this.#topicOrder === undefined ? this.#earliest() : this.#lanes[this.#topicOrder.next()]
      const record = first?.partition.head
      if (first === undefined || record === undefined) return
      batch.push(record)
      first.partition.advance()
      if (first.partition.needsRefill) {
        first.state = 'unknown'
        return
      }
    }
  }

  #earliest(): Lane | undefined {
    let first: Lane | undefined
    for (const lane of this.#lanes) {
      if (lane.state !== 'head') continue
      if (first === undefined || lane.partition.headTimeMs < first.partition.headTimeMs) first = lane
    }
    return first
  }
}

async function refill(lane: Lane): Promise<void> {
  if (lane.state !== 'unknown') return
  lane.state = await lane.partition.refill()
  if (lane.state === 'head') lane.waitedMs = 0
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

/**
 * Reads the end of the journal's topic: what was committed behind a checkpoint. Opened early (a standby has it ready),
 * because joining a group takes seconds on many clusters, and the client reads in groups only; nothing is fetched until
 * read(), which is called once, when nobody writes to the journal any more.
 *
 * Entries are numbered, but a number says nothing about the offset: markers of transactions take offsets too, and a fresh
 * start counts from 0 again. So it is read from a place near the end, and from further back until the first entry found
 * is old enough. An entry 0 begins the journal anew; an entry that is there twice (at-least-once) counts as last written.
 */
import type { Consumer, EachBatchPayload, Kafka } from 'kafkajs'
import type { JournalRecord } from './output-records.js'

export interface JournalReaderOptions {
  kafka: Kafka
  topic: string
  /** A group of its own, for the client's sake; nothing is ever committed to it. */
  groupId: string
  decode(value: Buffer): JournalRecord
  withAdmin<T>(use: (admin: JournalAdmin) => Promise<T>): Promise<T>
}

/** The part of the admin client that is needed here. */
interface JournalAdmin {
  fetchTopicOffsets(topic: string): Promise<{ partition: number; high: string; low: string }[]>
  deleteGroups(groupIds: string[]): Promise<unknown>
}

interface Window {
  /** Next offset. */
  next: bigint
  end: bigint
  /** The numbers of entries that are wanted begin here. */
  fromSeq: number
  /** Number of the first entry found. */
  firstSeq: number | undefined
  entries: Map<number, JournalRecord>
  finish(error?: Error): void
}

const FIRST_WINDOW = 2000n
const DEADLINE_MS = 60_000

export class KafkaJournalReader {
  readonly #options: JournalReaderOptions
  readonly #consumer: Consumer
  #window: Window | undefined

  private constructor(options: JournalReaderOptions) {
    this.#options = options
    this.#consumer = options.kafka.consumer({
      groupId: options.groupId,
      maxWaitTimeInMs: 100,
      allowAutoTopicCreation: false,
    })
  }

  static async open(options: JournalReaderOptions): Promise<KafkaJournalReader> {
    const reader = new KafkaJournalReader(options)
    await reader.#start()
    return reader
  }

  /** The entries from this number on, in order. */
  async read(fromSeq: number): Promise<JournalRecord[]> {
    const { topic, withAdmin } = this.#options
    const [place] = await withAdmin(admin => admin.fetchTopicOffsets(topic))
    const low = BigInt(place?.low ?? 0)
    const end = BigInt(place?.high ?? 0)
    if (low >= end) return []
    for (let size = FIRST_WINDOW; ; size *= 8n) {
      const start = end - size > low ? end - size : low
      const { entries, firstSeq } = await this.#readWindow(start, end, fromSeq)
      if (start === low || (firstSeq !== undefined && firstSeq <= fromSeq)) {
        return [...entries.values()].sort((a, b) => a.seq - b.seq)
      }
    }
  }

  async close(): Promise<void> {
    const { withAdmin, groupId } = this.#options
    this.#window?.finish(new Error('the reader of the journal was closed'))
    await this.#consumer.disconnect().catch(() => undefined)
    // Empty groups go by themselves some days later; who may not delete them leaves it at that.
    await withAdmin(admin => admin.deleteGroups([groupId])).catch(() => undefined)
  }

  async #start(): Promise<void> {
    const { topic } = this.#options
    const consumer = this.#consumer
    try {
      await consumer.connect()
      await consumer.subscribe({ topic, fromBeginning: false })
      const joined = new Promise<void>((resolve, reject) => {
        consumer.on(consumer.events.GROUP_JOIN, () => resolve())
        consumer.on(consumer.events.CRASH, ({ payload }) => {
          reject(payload.error)
          this.#window?.finish(payload.error)
        })
      })
      joined.catch(() => undefined)
      // Batches of nothing but markers and aborted entries come only as this event.
      consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload }) => this.#advance(payload.lastOffset))
      await consumer.run({ autoCommit: false, eachBatch: async payload => this.#take(payload) })
      await joined
      consumer.pause([{ topic }])
    } catch (error) {
      await consumer.disconnect().catch(() => undefined)
      throw error
    }
  }

  async #readWindow(start: bigint, end: bigint, fromSeq: number): Promise<Window> {
    const { topic } = this.#options
    const window: Window = {
      next: start,
      end,
      fromSeq,
      firstSeq: undefined,
      entries: new Map(),
      finish: () => undefined,
    }
    let deadline: NodeJS.Timeout | undefined
    const finished = new Promise<void>((resolve, reject) => {
      window.finish = error => (error === undefined ? resolve() : reject(error))
      const late = new Error(`the journal's topic ${topic} could not be read in ${DEADLINE_MS} ms`)
      deadline = setTimeout(() => reject(late), DEADLINE_MS)
    })
    this.#window = window
    try {
      // A consumer that has just crashed refuses both at once.
      this.#consumer.seek({ topic, partition: 0, offset: String(start) })
      this.#consumer.resume([{ topic }])
      await finished
      this.#consumer.pause([{ topic }])
      return window
    } finally {
      clearTimeout(deadline)
      this.#window = undefined
    }
  }

  #take({ batch, isStale }: EachBatchPayload): void {
    const window = this.#window
    if (window === undefined || isStale()) return
    for (const { offset, value } of batch.messages) {
      if (BigInt(offset) < window.next || BigInt(offset) >= window.end || value === null) continue
      const entry = this.#options.decode(value)
      if (entry.seq === 0) window.entries.clear()
      window.firstSeq ??= entry.seq
      if (entry.seq >= window.fromSeq) window.entries.set(entry.seq, entry)
    }
  }

  #advance(lastOffset: string): void {
    const window = this.#window
    if (window === undefined || BigInt(lastOffset) < window.next) return
    window.next = BigInt(lastOffset) + 1n
    if (window.next >= window.end) window.finish()
  }
}

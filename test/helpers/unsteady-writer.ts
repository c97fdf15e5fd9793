/**
 * A process of its own that writes an event log of several partitions while somebody follows it: bursts of pages, each to
 * one partition at a time, and between some of them a pause that is longer than a partition is waited for. Here and there
 * a record that can not be used, or one whose time is far ahead.
 *
 * The pauses are what is tested with, not what is waited for: no test may depend on how long they are.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createLogWriter } from '../../src/sink/log-writer.js'
import type { LogWriter } from '../../src/sink/sink.js'
import { Random } from '../../src/std/random.js'
import { DAY_MS, START_MS } from './workspace.js'

const SELF = fileURLToPath(import.meta.url)
/** Longer than a partition of a followed folder is waited for. */
const LONG_MS = 600

export class UnsteadyWriter {
  readonly #child
  /** What it has written so far, as of the last answer. */
  records = 0
  impressions = 0
  unusable = 0

  constructor(log: string, partitions: number, seed: number) {
    this.#child = fork(SELF, [log, String(partitions), String(seed)])
  }

  /** Goes on writing; resolves when it is in the log. */
  async write(bursts: number): Promise<void> {
    this.#child.send(bursts)
    const [totals] = await once(this.#child, 'message')
    Object.assign(this, totals)
  }

  close(): void {
    if (this.#child.connected) this.#child.disconnect()
  }
}

interface Totals {
  records: number
  impressions: number
  unusable: number
}

class Bursts {
  readonly #log: LogWriter
  readonly #partitions: number
  readonly #random: Random
  readonly totals: Totals = { records: 0, impressions: 0, unusable: 0 }
  #page = 0

  constructor(path: string, partitions: number, seed: number) {
    // Every record a block: it is there for the reader as soon as it is written.
    this.#log = createLogWriter({ path, partitions, blockBytes: 1 })
    this.#partitions = partitions
    this.#random = new Random(seed)
  }

  async write(bursts: number): Promise<void> {
    for (let burst = 0; burst < bursts; burst++) {
      const partition = this.#random.integer(this.#partitions)
      for (let pages = 1 + this.#random.integer(5); pages > 0; pages--) this.#writePage(partition)
      const isLong = this.#random.integer(8) === 0
      await pause(isLong ? LONG_MS : this.#random.integer(25))
    }
  }

  /** A page of one user, whose events lie in this partition; later pages have later times, other partitions may be behind. */
  #writePage(partition: number): void {
    const page = this.#page++
    const atMs = START_MS + page * 60_000
    const user = `u${partition + this.#partitions * (page % 4)}`
    const requestId = `r${page}`
    for (let position = 1; position <= 4; position++) {
      const item = `i${(page * 3 + position * 5) % 20}`
      const isFar = page % 17 === 3 && position === 2
      const eventTime = atMs + position + (isFar ? 10 * DAY_MS : 0)
      const eventId = `${requestId}-${position}`
      this.#write(partition, 'impression', { eventId, eventTime, user, item, requestId, position })
      if (!isFar) this.totals.impressions++
    }
    const pair = { user, item: `i${(page * 3 + 5) % 20}`, requestId }
    this.#write(partition, 'click', { ...pair, eventId: `c${page}`, eventTime: atMs + 5000 })
    if (page % 5 !== 0) return
    const isBad = page % 15 === 0
    if (isBad) this.totals.unusable++
    const value = isBad ? Number.NaN : 1 + ((page / 5) % 5)
    this.#write(partition, 'rating', { ...pair, eventId: `g${page}`, eventTime: atMs + 30_000, value })
  }

  #write(...record: Parameters<LogWriter['write']>): void {
    this.#log.write(...record)
    this.totals.records++
  }
}

if (process.argv[1] === SELF && process.send !== undefined) {
  const [path = '', partitions, seed] = process.argv.slice(2)
  const bursts = new Bursts(path, Number(partitions), Number(seed))
  process.on('message', async (count: number) => {
    await bursts.write(count)
    if (process.connected) process.send?.(bursts.totals)
  })
}

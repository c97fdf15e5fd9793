/** How many records were read by when, for the report; a point every quarter of a second, at most so many. */
import type { Clock } from '../std/clock.js'

const EVERY_MS = 250
const MAX_POINTS = 2000

export class ThroughputLog {
  readonly points: { records: number; elapsedMs: number }[] = []
  readonly #clock: Clock
  readonly #startedMs: number

  constructor(clock: Clock, startedMs: number) {
    this.#clock = clock
    this.#startedMs = startedMs
  }

  add(records: number): void {
    const elapsedMs = this.#clock.monotonicMs() - this.#startedMs
    if (this.points.length < MAX_POINTS && elapsedMs - (this.points.at(-1)?.elapsedMs ?? 0) >= EVERY_MS)
      this.points.push({ records, elapsedMs })
  }
}

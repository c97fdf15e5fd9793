/**
 * ADWIN (Bifet & Gavaldà 2007; as in River): a window of the last numbers that grows while they look alike and is cut
 * when two parts of it differ in mean by more than chance allows. The window is an exponential histogram: rows of at
 * most 5 buckets, a bucket of row r sums 2^r numbers, so it takes O(log width) memory. A cut is looked for at every 32nd
 * number.
 *
 *   |mean0 − mean1| > sqrt(2/m · σ² ln(2 ln W / δ)) + 2/(3m) ln(2 ln W / δ),   1/m = 1/(n0 − 4) + 1/(n1 − 4)
 *
 * `onlyRise`: a change to the better (a lower loss) cuts the window but is no alarm.
 */
import type { DriftDetector } from './detector.js'

const CLOCK = 32
const MAX_BUCKETS = 5
const MIN_WINDOW = 5
const GRACE = 10

/** Enough for 2^40 numbers. */
const MAX_ROWS = 40
/** A row holds one bucket more than it may, until it is merged. */
const ROW_BUCKETS = MAX_BUCKETS + 1

export class Adwin implements DriftDetector {
  readonly #delta: number
  readonly #onlyRise: boolean
  /** Row r has buckets of 2^r numbers, oldest first; the last row is the oldest. [MAX_ROWS, ROW_BUCKETS] */
  readonly #totals = new Float64Array(MAX_ROWS * ROW_BUCKETS)
  /** Sums of squared deviations from the bucket's mean. */
  readonly #variances = new Float64Array(MAX_ROWS * ROW_BUCKETS)
  /** Buckets of each row. */
  readonly #lengths = new Uint8Array(MAX_ROWS)
  #rows = 1
  #width = 0
  #total = 0
  #variance = 0
  #tick = 0
  #isOver = false

  constructor(options: { delta?: number; onlyRise?: boolean } = {}) {
    this.#delta = options.delta ?? 0.002
    this.#onlyRise = options.onlyRise ?? false
  }

  get mean(): number {
    return this.#width === 0 ? 0 : this.#total / this.#width
  }

  get width(): number {
    return this.#width
  }

  update(value: number): boolean {
    if (this.#isOver) this.#reset()
    this.#insert(value)
    this.#tick++
    this.#isOver = this.#tick % CLOCK === 0 && this.#width > GRACE && this.#cut()
    return this.#isOver
  }

  saveNumbers(): number[] {
    const buckets: number[] = []
    for (let r = 0; r < this.#rows; r++) {
      const length = this.#lengths[r] ?? 0
      buckets.push(length)
      for (let at = r * ROW_BUCKETS; at < r * ROW_BUCKETS + length; at++)
        buckets.push(this.#totals[at] ?? 0, this.#variances[at] ?? 0)
    }
    return [this.#width, this.#total, this.#variance, this.#tick, this.#isOver ? 1 : 0, ...buckets]
  }

  loadNumbers(numbers: readonly number[]): void {
    ;[this.#width = 0, this.#total = 0, this.#variance = 0, this.#tick = 0] = numbers
    this.#isOver = numbers[4] === 1
    this.#lengths.fill(0)
    this.#rows = 0
    for (let at = 5; at < numbers.length; ) {
      const r = this.#rows++
      const length = numbers[at++] ?? 0
      this.#lengths[r] = length
      for (let place = r * ROW_BUCKETS; place < r * ROW_BUCKETS + length; place++) {
        this.#totals[place] = numbers[at++] ?? 0
        this.#variances[place] = numbers[at++] ?? 0
      }
    }
    this.#rows = Math.max(1, this.#rows)
  }

  #reset(): void {
    this.loadNumbers([])
  }

  #insert(value: number): void {
    this.#push(0, value, 0)
    this.#width++
    if (this.#width > 1) {
      const mean = this.#total / (this.#width - 1)
      this.#variance += ((this.#width - 1) * (value - mean) ** 2) / this.#width
    }
    this.#total += value
    this.#compress()
  }

  #push(r: number, total: number, variance: number): void {
    const length = this.#lengths[r] ?? 0
    this.#totals[r * ROW_BUCKETS + length] = total
    this.#variances[r * ROW_BUCKETS + length] = variance
    this.#lengths[r] = length + 1
    if (r === this.#rows) this.#rows++
  }

  /** Takes the `n` oldest buckets out of a row. */
  #shift(r: number, n: number): void {
    const first = r * ROW_BUCKETS
    this.#totals.copyWithin(first, first + n, first + ROW_BUCKETS)
    this.#variances.copyWithin(first, first + n, first + ROW_BUCKETS)
    this.#lengths[r] = (this.#lengths[r] ?? 0) - n
  }

  /** A row with one bucket too many merges its two oldest into one of the next row. */
  #compress(): void {
    for (let r = 0; r < MAX_ROWS - 1 && (this.#lengths[r] ?? 0) > MAX_BUCKETS; r++) {
      const at = r * ROW_BUCKETS
      const first = this.#totals[at] ?? 0
      const second = this.#totals[at + 1] ?? 0
      const size = 2 ** r
      const between = ((first - second) / size) ** 2 * (size / 2)
      const variance = (this.#variances[at] ?? 0) + (this.#variances[at + 1] ?? 0) + between
      this.#shift(r, 2)
      this.#push(r + 1, first + second, variance)
    }
  }

  /** Drops the oldest buckets while some cut tells the rest from them. True: it did (and rose, if only that counts). */
  #cut(): boolean {
    let isAlarm = false
    for (let isShrinking = true; isShrinking; ) {
      isShrinking = false
      let n0 = 0
      let total0 = 0
      search: for (let r = this.#rows - 1; r >= 0; r--) {
        const length = this.#lengths[r] ?? 0
        for (let nth = 0; nth < length; nth++) {
          n0 += 2 ** r
          total0 += this.#totals[r * ROW_BUCKETS + nth] ?? 0
          if (r === 0 && nth === length - 1) break search
          const n1 = this.#width - n0
          const difference = total0 / n0 - (this.#total - total0) / n1
          if (n0 < MIN_WINDOW || n1 < MIN_WINDOW || !this.#isCut(n0, n1, difference)) continue
          isAlarm ||= !this.#onlyRise || difference < 0
          isShrinking = true
          this.#dropOldest()
          break search
        }
      }
    }
    return isAlarm
  }

  #isCut(n0: number, n1: number, difference: number): boolean {
    const log = Math.log((2 * Math.log(this.#width)) / this.#delta)
    const reciprocal = 1 / (n0 - MIN_WINDOW + 1) + 1 / (n1 - MIN_WINDOW + 1)
    const variance = this.#variance / this.#width
    return Math.abs(difference) > Math.sqrt(2 * reciprocal * variance * log) + (2 / 3) * log * reciprocal
  }

  #dropOldest(): void {
    const r = this.#rows - 1
    const n = 2 ** r
    const total = this.#totals[r * ROW_BUCKETS] ?? 0
    const variance = this.#variances[r * ROW_BUCKETS] ?? 0
    this.#width -= n
    this.#total -= total
    const apart = total / n - this.#total / this.#width
    this.#variance -= variance + (n * this.#width * apart ** 2) / (n + this.#width)
    this.#shift(r, 1)
    if (this.#lengths[r] === 0 && r > 0) this.#rows--
  }
}

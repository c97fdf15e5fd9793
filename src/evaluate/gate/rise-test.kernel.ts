/**
 * Whether the ratio Σa/Σb of two streams lies above where it was, beyond noise: a loss and that of a constant, what was
 * promised and what came of it. Sequential: it may be asked after every label, and the rate of false alarms holds all the
 * same, without any assumption on how the numbers are distributed.
 *
 * An e-detector (Shin, Ramdas & Rinaldo 2024, NEJSDS 2(2)) over bets (Waudby-Smith & Ramdas 2024, JRSS B 86(1)). Where the
 * mean of a is at most c times that of b, given the past, this is a bet that nobody wins on average:
 *
 *   M ← M · (1 + λ (a − c b)),   0 ≤ λ c bMax ≤ ½,   bMax ≥ b known before the label
 *
 * At the end of a block of labels M begins again at 1 if it is below (CUSUM). So within V blocks M reaches T with probability V/T at
 * most. Several λ are played at once and M is their mean, because the best one depends on how much worse it gets.
 *
 * Nothing is compared before the ratio was sane for a while: what a model says that has learned nothing is no reference.
 *
 * c: the best ratio there was, as blocks without an alarm have it (the last 64 of them count most) at the upper end of its own
 * noise, times 1 + tolerance. It falls at once and rises by 1/2048 a block: what changes slowly is the world.
 */

/** Labels of a block, at least; and of b, where b may be rare. */
export const BLOCK = 256
const BETS = 8
/** Beyond the threshold evidence is not collected: it would have to be lost again. */
const BEYOND = 10
const KEEP = 1 - 1 / 64
const CREEP = 1 / 2048
/** Until the reference has so many labels nothing is compared. */
const LEAST = 8 * BLOCK

export interface RiseOptions {
  /** Share by which the ratio may rise. */
  tolerance: number
  /** The reference is never below this. */
  floor: number
  /** Until there is a reference, it begins again after a block whose ratio is outside. */
  sane: readonly [number, number]
  /** A block ends when Σb is as much. */
  blockWeight: number
  /** Of M, for an alarm. */
  threshold: number
}

export class RiseTest {
  readonly #options: RiseOptions
  /** How many of its own standard errors the reference may be wrong: as improbable as an alarm. */
  readonly #errors: number
  readonly #wealth = new Float64Array(BETS).fill(1)
  /** Of the block: labels, Σa, Σb, Σ(a − r b)² by the ratio r of the reference. */
  readonly #block = new Float64Array(4)
  /** The same of the reference, where older blocks count less. */
  readonly #reference = new Float64Array(4)
  #best = Number.POSITIVE_INFINITY
  /** What is bet against; 0: nothing to compare with yet. */
  #limit = 0
  #isOver = false
  /** Ratio of the last whole block. */
  #last = 0

  constructor(options: RiseOptions) {
    this.#options = options
    this.#errors = Math.sqrt(2 * Math.log(options.threshold))
  }

  /** Whether it is worse than it was: from the alarm on until a block is within the limit again. */
  get isOver(): boolean {
    return this.#isOver
  }

  /** Of the reference, and of what came since the last whole block, or of that one. */
  get ratios(): { before: number; now: number } {
    const [n = 0, a = 0, b = 0] = this.#block
    return { before: this.#ratio, now: n >= BLOCK / 4 && b > 0 ? a / b : this.#last }
  }

  /** bMax: b can not be more, as is known without the label. */
  add(a: number, b: number, bMax: number): void {
    const block = this.#block
    const ratio = this.#ratio
    block[0]! += 1
    block[1]! += a
    block[2]! += b
    block[3]! += (a - ratio * b) ** 2
    if (this.#limit > 0 && !this.#isOver) this.#bet(a / (this.#limit * bMax) - b / bMax)
    if (block[0]! >= BLOCK && block[2]! >= this.#options.blockWeight) this.#endBlock()
  }

  /** What there is now becomes what is compared with. */
  restart(): void {
    this.#begin()
    this.#reference.fill(0)
    this.#best = Number.POSITIVE_INFINITY
    this.#limit = 0
  }

  saveNumbers(): number[] {
    // JSON has no infinity.
    const best = Number.isFinite(this.#best) ? this.#best : -1
    return [best, this.#limit, this.#isOver ? 1 : 0, this.#last, ...this.#block, ...this.#reference, ...this.#wealth]
  }

  loadNumbers(numbers: readonly number[]): void {
    const [best = -1, limit = 0, isOver = 0, last = 0] = numbers
    this.#best = best < 0 ? Number.POSITIVE_INFINITY : best
    this.#limit = limit
    this.#isOver = isOver === 1
    this.#last = last
    this.#block.set(numbers.slice(4, 8))
    this.#reference.set(numbers.slice(8, 12))
    this.#wealth.set(numbers.slice(12, 12 + BETS))
  }

  get #ratio(): number {
    return this.#reference[2]! > 0 ? this.#reference[1]! / this.#reference[2]! : 0
  }

  #bet(gain: number): void {
    const { threshold } = this.#options
    const most = threshold * BETS * BEYOND
    let sum = 0
    for (let k = 0, share = 0.5; k < BETS; k++, share /= 2) {
      const wealth = Math.min(most, this.#wealth[k]! * (1 + share * gain))
      this.#wealth[k] = wealth
      sum += wealth
    }
    if (sum / BETS >= threshold) this.#isOver = true
  }

  #endBlock(): void {
    const [, a = 0, b = 0] = this.#block
    this.#last = b > 0 ? a / b : 0
    if (!this.#isOver) this.#learn()
    else if (this.#last <= this.#limit) this.#begin()
    this.#block.fill(0)
    for (let k = 0; k < BETS; k++) this.#wealth[k] = Math.max(1, this.#wealth[k]!)
  }

  #begin(): void {
    this.#isOver = false
    this.#wealth.fill(1)
  }

  #learn(): void {
    const reference = this.#reference
    const [least, most] = this.#options.sane
    if (this.#limit === 0 && (this.#last < least || this.#last > most)) {
      reference.fill(0)
      return
    }
    for (let i = 0; i < reference.length; i++) reference[i] = KEEP * reference[i]! + this.#block[i]!
    const [n = 0, a = 0, b = 0, squares = 0] = reference
    if (n < LEAST || b <= 0) return
    const { floor, tolerance } = this.#options
    this.#best = Math.min((a + this.#errors * Math.sqrt(squares)) / b, this.#best * (1 + CREEP))
    this.#limit = Math.max(floor, this.#best) * (1 + tolerance)
  }
}

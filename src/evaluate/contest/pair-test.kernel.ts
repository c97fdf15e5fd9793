/**
 * Whether one of two is better than the other, beyond noise: bets on the differences of their losses, label by label, one
 * series that the first loses more and one that it loses less. As in the publish gate (../gate/rise-test.kernel.ts): where
 * the mean of a difference given the past is at most 0, M ← M · (1 + λ d) wins nothing on average; M begins again at 1 at the
 * end of a block if it is below; so within V blocks it reaches T with probability V/T at most, however often one looks. What was long ago is
 * forgotten: a learner that began with nothing may still come out ahead.
 *
 * The verdict stands as long as M does: it lapses when the differences are gone.
 */
import { BLOCK } from '../gate/rise-test.kernel.js'

const BETS = 8
/** Beyond the threshold evidence is not collected: it would have to be lost again. */
const BEYOND = 10

export class PairTest {
  readonly #threshold: number
  readonly #up = new Float64Array(BETS).fill(1)
  readonly #down = new Float64Array(BETS).fill(1)
  /** Labels of the block. */
  #labels = 0

  /** threshold: T. */
  constructor(threshold: number) {
    this.#threshold = threshold
  }

  /** 1: the differences are above 0; −1: below; 0: neither beyond noise. */
  get verdict(): -1 | 0 | 1 {
    const up = meanOf(this.#up)
    const down = meanOf(this.#down)
    if (Math.max(up, down) < this.#threshold) return 0
    return up >= down ? 1 : -1
  }

  /** A difference in −1..1. */
  add(difference: number): void {
    const most = this.#threshold * BETS * BEYOND
    for (let k = 0, share = 0.5; k < BETS; k++, share /= 2) {
      this.#up[k] = Math.min(most, this.#up[k]! * (1 + share * difference))
      this.#down[k] = Math.min(most, this.#down[k]! * (1 - share * difference))
    }
    if (++this.#labels < BLOCK) return
    this.#labels = 0
    for (let k = 0; k < BETS; k++) {
      this.#up[k] = Math.max(1, this.#up[k]!)
      this.#down[k] = Math.max(1, this.#down[k]!)
    }
  }

  saveNumbers(): number[] {
    return [this.#labels, ...this.#up, ...this.#down]
  }

  loadNumbers(numbers: readonly number[]): void {
    this.#labels = numbers[0] ?? 0
    this.#up.set(numbers.slice(1, 1 + BETS))
    this.#down.set(numbers.slice(1 + BETS, 1 + 2 * BETS))
  }
}

function meanOf(wealth: Float64Array): number {
  let sum = 0
  for (const one of wealth) sum += one
  return sum / wealth.length
}

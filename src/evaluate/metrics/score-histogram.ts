/**
 * How often each score came with a negative and with a positive label, by equal bins of the score's logit between -16
 * and 16 (probabilities 1e-7 to 1 - 1e-7). Logit bins stay narrow where click rates of 0.1 % put all scores; bins of
 * the probability would not. AUC, the threshold metrics and the reliability curve are all read from it.
 *
 * Like every metric it is a view of sums that someone else owns: adding two sums elementwise merges two metrics, and
 * saving the sums saves the metric. 0.5 is exactly a bin's edge.
 */
const LOGIT_LIMIT = 16

export class ScoreHistogram {
  /** [bins, 2] negatives, positives */
  readonly counts: Float64Array
  readonly bins: number
  readonly #scale: number

  static size(bins: number): number {
    return 2 * bins
  }

  constructor(counts: Float64Array) {
    this.counts = counts
    this.bins = counts.length / 2
    this.#scale = this.bins / (2 * LOGIT_LIMIT)
  }

  /** positive: 0 or 1. Returns the place among the counts. */
  add(logit: number, positive: number): number {
    const bin = Math.floor((logit + LOGIT_LIMIT) * this.#scale)
    const at = 2 * Math.min(Math.max(bin, 0), this.bins - 1) + positive
    this.counts[at] = (this.counts[at] ?? 0) + 1
    return at
  }

  negatives(bin: number): number {
    return this.counts[2 * bin] ?? 0
  }

  positives(bin: number): number {
    return this.counts[2 * bin + 1] ?? 0
  }

  /** The probability in the middle of a bin, in logits. */
  centre(bin: number): number {
    return 1 / (1 + Math.exp(LOGIT_LIMIT - (bin + 0.5) / this.#scale))
  }

  /** The bin whose lower edge is the score 0.5. */
  get half(): number {
    return this.bins / 2
  }
}

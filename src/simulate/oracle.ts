/**
 * How well the true probabilities themselves predict what happened: no learner does better but by luck. AUC from a
 * histogram over the logit (2048 bins, so its error is far below the noise) in constant memory.
 */
const BINS = 2048
const LOGIT_RANGE = 14

export class Oracle {
  readonly #positives = new Float64Array(BINS)
  readonly #negatives = new Float64Array(BINS)
  #logLoss = 0
  #expected = 0
  #happened = 0
  #count = 0

  add(probability: number, happened: boolean): void {
    const logit = Math.log(probability / (1 - probability))
    const bin = Math.min(BINS - 1, Math.max(0, Math.floor(((logit + LOGIT_RANGE) / (2 * LOGIT_RANGE)) * BINS)))
    const side = happened ? this.#positives : this.#negatives
    side[bin] = (side[bin] ?? 0) + 1
    this.#logLoss -= happened ? Math.log(probability) : Math.log1p(-probability)
    this.#expected += probability
    this.#happened += happened ? 1 : 0
    this.#count++
  }

  summary(): { rate: number; expectedRate: number; auc: number | null; logLoss: number } {
    const negatives = this.#count - this.#happened
    let below = 0
    let pairs = 0
    for (let bin = 0; bin < BINS; bin++) {
      const n = this.#negatives[bin] ?? 0
      pairs += (this.#positives[bin] ?? 0) * (below + n / 2)
      below += n
    }
    const count = Math.max(1, this.#count)
    return {
      rate: this.#happened / count,
      expectedRate: this.#expected / count,
      auc: this.#happened > 0 && negatives > 0 ? pairs / (this.#happened * negatives) : null,
      logLoss: this.#logLoss / count,
    }
  }
}

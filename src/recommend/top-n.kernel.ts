/**
 * The n best of many scores, best first; of equal scores the lower number. A bounded heap with the worst kept item at its
 * root: nearly every item is refused by one comparison.
 */
export class TopN {
  items = new Int32Array(0)
  scores = new Float64Array(0)
  size = 0

  begin(n: number): void {
    if (this.items.length < n) {
      this.items = new Int32Array(n)
      this.scores = new Float64Array(n)
    }
    this.#limit = n
    this.size = 0
  }

  #limit = 0

  /** What a score has to reach to be kept. */
  get bar(): number {
    return this.size < this.#limit ? Number.NEGATIVE_INFINITY : this.scores[0]!
  }

  offer(item: number, score: number): void {
    if (this.size < this.#limit) {
      this.#up(this.size++, item, score)
    } else if (this.#limit > 0 && isWorse(this.scores[0]!, this.items[0]!, score, item)) {
      this.#down(item, score, this.size)
    }
  }

  /** Sorts what was kept in place, best first. No offers after it. */
  finish(): void {
    for (let end = this.size - 1; end > 0; end--) {
      const item = this.items[end]!
      const score = this.scores[end]!
      this.items[end] = this.items[0]!
      this.scores[end] = this.scores[0]!
      this.#down(item, score, end)
    }
  }

  #up(hole: number, item: number, score: number): void {
    const { items, scores } = this
    while (hole > 0) {
      const parent = (hole - 1) >> 1
      if (!isWorse(score, item, scores[parent]!, items[parent]!)) break
      items[hole] = items[parent]!
      scores[hole] = scores[parent]!
      hole = parent
    }
    items[hole] = item
    scores[hole] = score
  }

  /** From the root, in a heap of `size`. */
  #down(item: number, score: number, size: number): void {
    const { items, scores } = this
    let hole = 0
    for (;;) {
      let child = 2 * hole + 1
      if (child >= size) break
      if (child + 1 < size && isWorse(scores[child + 1]!, items[child + 1]!, scores[child]!, items[child]!)) child++
      if (!isWorse(scores[child]!, items[child]!, score, item)) break
      items[hole] = items[child]!
      scores[hole] = scores[child]!
      hole = child
    }
    items[hole] = item
    scores[hole] = score
  }
}

/** Whether the first of two comes after the second. */
function isWorse(score: number, item: number, otherScore: number, otherItem: number): boolean {
  return score < otherScore || (score === otherScore && item > otherItem)
}

/**
 * Whether a user and an item have met in the last 4,096 labels. What came of it has just been learned, so that the label says
 * little of whether the world is still the same. Robots that repeat themselves are foretold without a mistake: what a detector
 * takes for usual would fall with them, and rise when they stop. A pair that never ends counts once in as many labels.
 */

const RECENT_LABELS = 4096
/** A power of two. A place has one pair: now and then one is lost to another, and counts again. */
const PLACES = 2 * RECENT_LABELS

export class Repeats {
  /** [PLACES, 2] What is left of the pair's key, and when it came last: the number of the label, from 1. */
  readonly #pairs = new Uint32Array(PLACES * 2)
  #labels = 0

  /** A label of a pair, by the words of its key. → Whether it is a repetition. */
  record(lo: number, hi: number): boolean {
    const at = (lo & (PLACES - 1)) * 2
    const pairs = this.#pairs
    const label = (this.#labels + 1) >>> 0
    this.#labels = label
    const last = pairs[at + 1]!
    if (pairs[at] === hi && last > 0 && (label - last) >>> 0 <= RECENT_LABELS) return true
    pairs[at] = hi
    pairs[at + 1] = label
    return false
  }

  save(): { labels: number; pairs: Uint32Array } {
    return { labels: this.#labels, pairs: this.#pairs }
  }

  load(labels: number, pairs: Uint32Array): void {
    this.#labels = labels
    this.#pairs.set(pairs)
  }
}

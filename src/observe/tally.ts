/**
 * A histogram that is cheap enough for every example: values go into fixed buckets by the thousand, a few nanoseconds
 * each. Neighbours are alike (the examples of one batch are about equally old), so the search begins where the last one
 * ended. Bounds are inclusive and rise, as Prometheus has them; what is beyond the last counts in one more bucket.
 */
export class Tally {
  readonly bounds: readonly number[]
  /** One a bound, and one for what is beyond; not cumulated. */
  readonly counts: Float64Array
  sum = 0
  readonly #edges: Float64Array
  #at = 0

  constructor(bounds: readonly number[]) {
    this.bounds = bounds
    this.#edges = Float64Array.of(Number.NEGATIVE_INFINITY, ...bounds, Number.POSITIVE_INFINITY)
    this.counts = new Float64Array(bounds.length + 1)
  }

  /** Less than 0 counts as 0: a producer's clock may be ahead. */
  add(value: number): void {
    const edges = this.#edges
    const counted = Number.isNaN(value) ? 0 : Math.max(value, 0)
    let at = this.#at
    while (counted > (edges[at + 1] ?? Number.POSITIVE_INFINITY)) at++
    while (counted <= (edges[at] ?? Number.NEGATIVE_INFINITY)) at--
    this.#at = at
    this.counts[at] = (this.counts[at] ?? 0) + 1
    this.sum += counted
  }

  /** How old they are now, in seconds. */
  addAges(timesMs: ArrayLike<number>, nowMs: number, length = timesMs.length): void {
    for (let i = 0; i < length; i++) this.add((nowMs - (timesMs[i] ?? nowMs)) / 1000)
  }
}

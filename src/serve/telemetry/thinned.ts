/**
 * A series that stays small however long it gets: when it is full, neighbours are merged two by two, and from then on
 * twice as many values make a point. So old and new points cover equally much, and nothing is left out.
 */
export class Thinned<T> {
  readonly #max: number
  readonly #merge: (earlier: T, later: T) => T
  #points: T[] = []
  /** Values that make a point, and those that the last point has so far. */
  #every = 1
  #inLast = 1

  /** max: even, at least 2. merge: of two neighbours. */
  constructor(max: number, merge: (earlier: T, later: T) => T) {
    this.#max = max
    this.#merge = merge
  }

  get points(): readonly T[] {
    return this.#points
  }

  add(value: T): void {
    const last = this.#points.at(-1)
    if (last !== undefined && this.#inLast < this.#every) {
      this.#points[this.#points.length - 1] = this.#merge(last, value)
      this.#inLast++
      return
    }
    if (this.#points.length >= this.#max) this.#halve()
    this.#points.push(value)
    this.#inLast = 1
  }

  #halve(): void {
    const merged: T[] = []
    for (let i = 0; i + 1 < this.#points.length; i += 2)
      merged.push(this.#merge(this.#points[i] as T, this.#points[i + 1] as T))
    this.#points = merged
    this.#every *= 2
  }
}

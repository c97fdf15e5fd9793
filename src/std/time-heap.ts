/**
 * A binary min-heap of values by time; equal times come out in the order in which they went in, so that what is popped
 * is a function of the pushes alone. Keys lie in typed arrays: a push allocates only when the heap grows.
 */
export class TimeHeap<T extends object> {
  #times = new Float64Array(256)
  #orders = new Float64Array(256)
  #values: T[] = []
  #pushed = 0

  get size(): number {
    return this.#values.length
  }

  /** Time of the next value; Infinity when empty. */
  peekTime(): number {
    return this.#values.length === 0 ? Number.POSITIVE_INFINITY : (this.#times[0] ?? Number.POSITIVE_INFINITY)
  }

  push(time: number, value: T): void {
    let hole = this.#values.length
    if (hole === this.#times.length) this.#grow()
    this.#values.push(value)
    const order = this.#pushed++
    while (hole > 0) {
      const parent = (hole - 1) >> 1
      // A later push never goes before an equal time, so `order` needs no look on the way up.
      if (this.#timeAt(parent) <= time) break
      this.#move(parent, hole)
      hole = parent
    }
    this.#set(hole, time, order, value)
  }

  pop(): T | undefined {
    const top = this.#values[0]
    const last = this.#values.length - 1
    const value = this.#values.pop()
    if (last <= 0 || value === undefined) return top
    const time = this.#timeAt(last)
    const order = this.#orders[last] ?? 0
    let hole = 0
    for (;;) {
      let child = 2 * hole + 1
      if (child >= last) break
      if (child + 1 < last && this.#before(child + 1, this.#timeAt(child), this.#orders[child] ?? 0)) child++
      if (!this.#before(child, time, order)) break
      this.#move(child, hole)
      hole = child
    }
    this.#set(hole, time, order, value)
    return top
  }

  #timeAt(index: number): number {
    return this.#times[index] ?? Number.POSITIVE_INFINITY
  }

  #before(index: number, time: number, order: number): boolean {
    const other = this.#timeAt(index)
    return other < time || (other === time && (this.#orders[index] ?? 0) < order)
  }

  #move(from: number, to: number): void {
    const value = this.#values[from]
    if (value !== undefined) this.#set(to, this.#timeAt(from), this.#orders[from] ?? 0, value)
  }

  #set(index: number, time: number, order: number, value: T): void {
    this.#times[index] = time
    this.#orders[index] = order
    this.#values[index] = value
  }

  #grow(): void {
    const times = new Float64Array(this.#times.length * 2)
    times.set(this.#times)
    this.#times = times
    const orders = new Float64Array(times.length)
    orders.set(this.#orders)
    this.#orders = orders
  }
}

/**
 * The rows of one table. A row is 16 bytes of header (key, last touch, accumulator) in the index, and beside it, as the
 * table's slots ask: a vector [dim], a bias and its accumulator per task, an FTRL pair (z, n) per task. Rows lie in
 * slabs: growth adds a slab and moves nothing.
 *
 * Within a batch every row in use has a number of its own (`unique`), under which its gradients are summed. That number
 * is kept in the row's last-touch word, as IN_BATCH + unique, and replaced by the time when the batch is settled. So
 * finding duplicates costs no map, no sort and no memory, and a row in use can never look old.
 */
import { KeyIndex, ROW_SLAB_BITS } from '../../std/key-index.kernel.js'
import { startRow } from './row-start.kernel.js'

export const ROW_SLAB = 1 << ROW_SLAB_BITS
const ROW_MASK = ROW_SLAB - 1
const HEADER_WORDS = 4
const TOUCHED = 2
const ACCUMULATOR = 3
/** Last-touch words from here on are batch numbers; below are seconds of event time (until the year 2101). */
const IN_BATCH = 0xf8000000
export const LATEST_SECOND = IN_BATCH - 1

export interface TableShape {
  name: string
  /** 0 = no vector. */
  dim: number
  tasks: number
  bias: boolean
  wide: boolean
}

export interface RowStart {
  seed: number
  scale: number
  accumulator: number
  biasAccumulator: number
}

export class ValueTable {
  readonly shape: TableShape
  readonly index = new KeyIndex(1024, HEADER_WORDS)
  /** The headers' words as floats, for the accumulators. */
  readonly accumulators: Float32Array[] = []
  /** [ROW_SLAB, dim] */
  readonly vectors: Float32Array[] = []
  /** [ROW_SLAB, tasks, 2] weight, accumulator */
  readonly biases: Float32Array[] = []
  /** [ROW_SLAB, tasks, 2] z, n */
  readonly wides: Float32Array[] = []
  /** Rows below are the shared ones of unknown values: never removed. */
  pinned = 0
  /** Rows of the current batch by their number in it. */
  uniqueRows = new Int32Array(1024)
  uniques = 0
  readonly #start: RowStart

  constructor(shape: TableShape, start: RowStart) {
    this.shape = shape
    this.#start = start
  }

  /** Rows of values, without the shared ones. */
  get size(): number {
    return this.index.size - this.pinned
  }

  /** A row made whole: whatever lay there before is gone. */
  create(lo: number, hi: number): number {
    const row = this.index.insert(lo, hi)
    const slab = row >>> ROW_SLAB_BITS
    if (slab === this.accumulators.length) this.#addSlab()
    const at = row & ROW_MASK
    const { dim, tasks, bias, wide } = this.shape
    const start = this.#start
    this.accumulators[slab]![at * HEADER_WORDS + ACCUMULATOR] = start.accumulator
    if (dim > 0) startRow(this.vectors[slab]!, at * dim, dim, start.scale, start.seed, lo, hi)
    if (bias) {
      const biases = this.biases[slab]!
      for (let place = at * tasks * 2, end = place + tasks * 2; place < end; place += 2) {
        biases[place] = 0
        biases[place + 1] = start.biasAccumulator
      }
    }
    if (wide) this.wides[slab]!.fill(0, at * tasks * 2, (at + 1) * tasks * 2)
    return row
  }

  /** The row's number in the current batch. */
  use(row: number): number {
    const header = this.index.headers[row >>> ROW_SLAB_BITS]!
    const at = (row & ROW_MASK) * HEADER_WORDS + TOUCHED
    const touched = header[at]!
    if (touched >= IN_BATCH) return touched - IN_BATCH
    const unique = this.uniques++
    if (unique === this.uniqueRows.length) {
      const longer = new Int32Array(unique * 2)
      longer.set(this.uniqueRows)
      this.uniqueRows = longer
    }
    this.uniqueRows[unique] = row
    header[at] = IN_BATCH + unique
    return unique
  }

  /** Ends the batch: its rows were last touched now. */
  settle(second: number): void {
    for (let unique = 0; unique < this.uniques; unique++) {
      const row = this.uniqueRows[unique]!
      this.index.headers[row >>> ROW_SLAB_BITS]![(row & ROW_MASK) * HEADER_WORDS + TOUCHED] = second
    }
    this.uniques = 0
  }

  /** Seconds of event time at the last use; a row of the current batch reads as later than any time. */
  touched(row: number): number {
    return this.index.headers[row >>> ROW_SLAB_BITS]![(row & ROW_MASK) * HEADER_WORDS + TOUCHED]!
  }

  inBatch(row: number): boolean {
    return this.touched(row) >= IN_BATCH
  }

  remove(row: number): void {
    this.index.remove(this.index.keyLo(row), this.index.keyHi(row))
  }

  get bytes(): number {
    const columns = [this.vectors, this.biases, this.wides].flat()
    return columns.reduce((sum, slab) => sum + slab.byteLength, this.index.bytes)
  }

  #addSlab(): void {
    const { dim, tasks, bias, wide } = this.shape
    this.accumulators.push(new Float32Array(this.index.headers[this.accumulators.length]!.buffer))
    if (dim > 0) this.vectors.push(new Float32Array(ROW_SLAB * dim))
    if (bias) this.biases.push(new Float32Array(ROW_SLAB * tasks * 2))
    if (wide) this.wides.push(new Float32Array(ROW_SLAB * tasks * 2))
  }

  /** Names of the columns that this table has, with the floats a row. */
  #columns(): [name: string, slabs: Float32Array[], width: number][] {
    const { dim, tasks, bias, wide } = this.shape
    const columns: [string, Float32Array[], number][] = []
    if (dim > 0) columns.push(['vectors', this.vectors, dim])
    if (bias) columns.push(['biases', this.biases, tasks * 2])
    if (wide) columns.push(['wides', this.wides, tasks * 2])
    return columns
  }

  /** Between batches only. Rows as they lie, freed ones included: their order of reuse is part of the future. */
  saveState(): { rows: number; arrays: Record<string, Uint32Array | (Uint32Array | Float32Array)[]> } {
    const { meta, arrays } = this.index.saveState()
    const saved: Record<string, Uint32Array | (Uint32Array | Float32Array)[]> = {
      headers: arrays.keys,
      free: arrays.free,
    }
    for (const [name, slabs, width] of this.#columns()) {
      saved[name] = slabs.map((slab, at) => slab.subarray(0, Math.min(ROW_SLAB, meta.rows - at * ROW_SLAB) * width))
    }
    return { rows: meta.rows, arrays: saved }
  }

  loadState(rows: number, array: (name: string) => Uint32Array | Float32Array): void {
    this.index.loadState(rows, array('headers') as Uint32Array, array('free') as Uint32Array)
    for (const slabs of [this.accumulators, this.vectors, this.biases, this.wides]) slabs.length = 0
    while (this.accumulators.length < this.index.headers.length) this.#addSlab()
    for (const [name, slabs, width] of this.#columns()) {
      const saved = array(name)
      slabs.forEach((slab, at) => {
        slab.set(saved.subarray(at * ROW_SLAB * width, Math.min((at + 1) * ROW_SLAB, rows) * width))
      })
    }
  }
}

/**
 * Examples as columns in shared memory: the main thread writes what is known at an impression's arrival, the learning
 * worker reads it when it scores and learns, and writes the scores back beside it. No per-event object crosses threads.
 *
 * A row is named by its number; slabs are added as needed and are never moved, so both threads may keep views.
 * The main thread allocates and frees; a row may be freed only after the worker's answer to the last command that names
 * it. Row numbers depend on timing and are therefore never saved: a checkpoint writes waiting examples in join order.
 *
 * Per row: keys [keyPlaces] 64-bit table keys (0 = empty place), dense [dense] float32 (standardised),
 * scores [tasks] float32 (what the model said when it was scored), notes [notes] float32 (what its parts said, for the
 * fast part), flags (cold user, cold item, and how many events each had had: see domain/experience.ts).
 */
export interface ColumnLayout {
  /** Key places a row: 1 for a single-valued slot, `max` for a multi-valued one, in slot order. */
  keyPlaces: number
  /** Numeric inputs a row. */
  dense: number
  tasks: number
  /** Floats that the fast part keeps with a row; 0 without it. */
  notes: number
}

export const SLAB_ROWS = 4096
export const FLAG_COLD_USER = 1
export const FLAG_COLD_ITEM = 2
/** Where the bands of experience stand in the flags, three bits each. */
export const USER_BAND_SHIFT = 2
export const ITEM_BAND_SHIFT = 5

export interface Slab {
  /** [SLAB_ROWS, keyPlaces, 2] low word, high word. */
  keys: Uint32Array
  /** [SLAB_ROWS, dense] */
  dense: Float32Array
  /** [SLAB_ROWS, tasks] */
  scores: Float32Array
  /** [SLAB_ROWS, notes] */
  notes: Float32Array
  /** [SLAB_ROWS] */
  flags: Uint8Array
}

function bytesOf(layout: ColumnLayout): [keys: number, dense: number, scores: number, notes: number, flags: number] {
  const { keyPlaces, dense, tasks, notes } = layout
  return [SLAB_ROWS * keyPlaces * 8, SLAB_ROWS * dense * 4, SLAB_ROWS * tasks * 4, SLAB_ROWS * notes * 4, SLAB_ROWS]
}

export function createSlabBuffer(layout: ColumnLayout): SharedArrayBuffer {
  return new SharedArrayBuffer(bytesOf(layout).reduce((sum, bytes) => sum + bytes, 0))
}

export function viewSlab(buffer: SharedArrayBuffer, layout: ColumnLayout): Slab {
  const [keys, dense, scores, notes, flags] = bytesOf(layout)
  return {
    keys: new Uint32Array(buffer, 0, keys / 4),
    dense: new Float32Array(buffer, keys, dense / 4),
    scores: new Float32Array(buffer, keys + dense, scores / 4),
    notes: new Float32Array(buffer, keys + dense + scores, notes / 4),
    flags: new Uint8Array(buffer, keys + dense + scores + notes, flags),
  }
}

/** The main thread's side: allocation of rows. */
export class ExampleColumns {
  readonly layout: ColumnLayout
  readonly slabs: Slab[] = []
  readonly #onSlab: (buffer: SharedArrayBuffer) => void
  #free: number[] = []

  /** onSlab hands each new slab to the worker before any of its rows is used. */
  constructor(layout: ColumnLayout, onSlab: (buffer: SharedArrayBuffer) => void) {
    this.layout = layout
    this.#onSlab = onSlab
  }

  /** A row with all keys, dense values, scores, notes and flags zeroed. */
  allocate(): number {
    let row = this.#free.pop()
    if (row === undefined) {
      const first = this.slabs.length * SLAB_ROWS
      const buffer = createSlabBuffer(this.layout)
      this.slabs.push(viewSlab(buffer, this.layout))
      this.#onSlab(buffer)
      for (let index = SLAB_ROWS - 1; index >= 0; index--) this.#free.push(first + index)
      row = this.#free.pop() ?? first
    }
    const slab = this.slab(row)
    const at = row % SLAB_ROWS
    slab.keys.fill(0, at * this.layout.keyPlaces * 2, (at + 1) * this.layout.keyPlaces * 2)
    slab.dense.fill(0, at * this.layout.dense, (at + 1) * this.layout.dense)
    slab.scores.fill(0, at * this.layout.tasks, (at + 1) * this.layout.tasks)
    slab.notes.fill(0, at * this.layout.notes, (at + 1) * this.layout.notes)
    slab.flags[at] = 0
    return row
  }

  free(row: number): void {
    this.#free.push(row)
  }

  slab(row: number): Slab {
    const slab = this.slabs[Math.floor(row / SLAB_ROWS)]
    if (slab === undefined) throw new RangeError(`example row ${row} does not exist`)
    return slab
  }

  /** Rows in use. */
  get used(): number {
    return this.slabs.length * SLAB_ROWS - this.#free.length
  }
}

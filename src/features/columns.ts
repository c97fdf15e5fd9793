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
 *
 * Where several learn from the same examples, each has a lane: scores and notes of its own, behind all that they share.
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

function bytesOf({ keyPlaces, dense, tasks, notes }: ColumnLayout) {
  return {
    keys: SLAB_ROWS * keyPlaces * 8,
    dense: SLAB_ROWS * dense * 4,
    flags: SLAB_ROWS,
    scores: SLAB_ROWS * tasks * 4,
    notes: SLAB_ROWS * notes * 4,
  }
}

export function createSlabBuffer(layout: ColumnLayout, lanes = 1): SharedArrayBuffer {
  const { keys, dense, flags, scores, notes } = bytesOf(layout)
  return new SharedArrayBuffer(keys + dense + flags + lanes * (scores + notes))
}

/** The slab as one lane has it. */
export function viewSlab(buffer: SharedArrayBuffer, layout: ColumnLayout, lane = 0): Slab {
  const { keys, dense, flags, scores, notes } = bytesOf(layout)
  const own = keys + dense + flags + lane * (scores + notes)
  return {
    keys: new Uint32Array(buffer, 0, keys / 4),
    dense: new Float32Array(buffer, keys, dense / 4),
    flags: new Uint8Array(buffer, keys + dense, flags),
    scores: new Float32Array(buffer, own, scores / 4),
    notes: new Float32Array(buffer, own + scores, notes / 4),
  }
}

/** The main thread's side: allocation of rows. */
export class ExampleColumns {
  readonly layout: ColumnLayout
  /** By lane. */
  readonly #slabs: Slab[][]
  readonly #onSlab: (buffer: SharedArrayBuffer) => void
  #free: number[] = []

  /** onSlab hands each new slab to the workers, one a lane, before any of its rows is used. */
  constructor(layout: ColumnLayout, onSlab: (buffer: SharedArrayBuffer) => void, lanes = 1) {
    this.layout = layout
    this.#onSlab = onSlab
    this.#slabs = Array.from({ length: lanes }, () => [])
  }

  /** Those of the first lane. */
  get slabs(): Slab[] {
    return this.#slabs[0] ?? []
  }

  /** A row with all keys, dense values, scores, notes and flags zeroed, of all lanes. */
  allocate(): number {
    let row = this.#free.pop()
    if (row === undefined) {
      const first = this.slabs.length * SLAB_ROWS
      const buffer = createSlabBuffer(this.layout, this.#slabs.length)
      for (const [lane, slabs] of this.#slabs.entries()) slabs.push(viewSlab(buffer, this.layout, lane))
      this.#onSlab(buffer)
      for (let index = SLAB_ROWS - 1; index >= 0; index--) this.#free.push(first + index)
      row = this.#free.pop() ?? first
    }
    const { keyPlaces, dense, tasks, notes } = this.layout
    const slab = this.slab(row)
    const at = row % SLAB_ROWS
    slab.keys.fill(0, at * keyPlaces * 2, (at + 1) * keyPlaces * 2)
    slab.dense.fill(0, at * dense, (at + 1) * dense)
    slab.flags[at] = 0
    for (let lane = 0; lane < this.#slabs.length; lane++) {
      const own = this.slab(row, lane)
      own.scores.fill(0, at * tasks, (at + 1) * tasks)
      own.notes.fill(0, at * notes, (at + 1) * notes)
    }
    return row
  }

  free(row: number): void {
    this.#free.push(row)
  }

  slab(row: number, lane = 0): Slab {
    const slab = this.#slabs[lane]?.[Math.floor(row / SLAB_ROWS)]
    if (slab === undefined) throw new RangeError(`example row ${row} does not exist`)
    return slab
  }

  /** Rows in use. */
  get used(): number {
    return this.slabs.length * SLAB_ROWS - this.#free.length
  }
}

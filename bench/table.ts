/**
 * Embedding tables: gather and update of one batch against the number of rows, and memory per row.
 *
 * Ten single-valued slots of dim 16, a table each, batch 1024; values are drawn evenly from the whole table, the hardest
 * case for caches (real streams repeat their popular ids). `hot` repeats one batch: what the size of the table alone
 * costs. `cold` goes through 64 batches in turn: what a stream pays, whose rows come from memory. Sizes are measured in
 * turn within each round; min and median over rounds. Not measured: the network's step between gather and update, of
 * which these times are a part.
 */
import { createSlabBuffer, SLAB_ROWS, type Slab, viewSlab } from '../src/features/columns.js'
import type { FeatureLayout } from '../src/features/layout.js'
import { SlotTables } from '../src/features/table/slot-tables.js'
import { Random } from '../src/std/random.js'

const SLOTS = 10
const DIM = 16
const TASKS = 3
const BATCH = 1024
const ROUNDS = 9
const HOT_BATCHES = 8
/** Batches in the columns, and so the working set of the cold passes: 64 * 10240 rows of values. */
const COLD_BATCHES = 64

const layout: FeatureLayout = {
  slots: Array.from({ length: SLOTS }, (_, at) => ({
    name: `s${at}`,
    table: `t${at}`,
    firstPlace: at,
    places: 1,
    embedIndex: at,
    bias: false,
    wide: false,
  })),
  keyPlaces: SLOTS,
  embeddedSlots: SLOTS,
  dense: [],
}
const optimizer = {
  dense: { rate: 0.002, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
  rows: { rate: 0.05, accumulatorStart: 0.1, keep: 0.99999 },
  biases: { rate: 0.1, accumulatorStart: 1 },
  wide: { alpha: 0.05, beta: 1, l1: 0.5, l2: 1 },
}
const columns = { keyPlaces: SLOTS, dense: 0, tasks: TASKS }

export interface TableBench {
  batch: number
  slots: number
  dim: number
  /** bytesPerRow: held by the tables; rssPerRow: growth of the process while filling, null where too small to tell. */
  sizes: { rows: number; fillMs: number; bytesPerRow: number; rssPerRow: number | null; hot: Times; cold: Times }[]
  /** Largest against smallest table: medians and minima of gather + update. */
  ratio: { hot: { min: number; median: number }; cold: { min: number; median: number } }
}

interface Times {
  gatherMs: Spread
  updateMs: Spread
}

interface Spread {
  min: number
  median: number
}

/** Value v of a slot; spread like the hashes that real keys are. */
function writeKey(keys: Uint32Array, at: number, slot: number, value: number): void {
  let lo = Math.imul(value + 1, 0x9e3779b1) ^ Math.imul(slot + 1, 0x85ebca77)
  lo = Math.imul(lo ^ (lo >>> 16), 0x21f0aaad)
  let hi = Math.imul(value + 0x51ed27, 0x735a2d97) ^ (lo >>> 15)
  hi = Math.imul(hi ^ (hi >>> 15), 0x2c1b3c6d)
  keys[at] = (lo ^ (lo >>> 15)) >>> 0
  keys[at + 1] = ((hi ^ (hi >>> 13)) >>> 0) | 1
}

class Setup {
  readonly tables: SlotTables
  readonly fillMs: number
  readonly rssPerRow: number | null
  readonly rows: number
  readonly #slabs: Slab[] = []
  readonly #batches: Int32Array[] = []
  readonly #out = {
    embedded: new Float32Array(BATCH * SLOTS * DIM),
    dense: new Float32Array(0),
    offset: new Float32Array(BATCH * TASKS),
  }
  readonly #gradient = Float32Array.from(this.#out.embedded, (_, at) => ((at % 7) - 3) * 1e-3)
  #next = 0

  constructor(rows: number) {
    this.rows = rows
    const values = rows / SLOTS
    while (this.#slabs.length * SLAB_ROWS < BATCH * COLD_BATCHES) {
      this.#slabs.push(viewSlab(createSlabBuffer(columns), columns))
    }
    for (let b = 0; b < COLD_BATCHES; b++) {
      this.#batches.push(Int32Array.from({ length: BATCH }, (_, i) => b * BATCH + i))
    }
    this.tables = new SlotTables(layout, TASKS, { dim: DIM, rowStart: 0.03, seed: 1 }, optimizer, {
      admitAfter: 1,
      maxRows: 100_000_000,
      expireAfter: 86_400_000,
    })
    const rss = process.memoryUsage().rss
    const began = performance.now()
    for (let value = 0; value < values; value += BATCH) {
      const n = Math.min(BATCH, values - value)
      for (let i = 0; i < n; i++) this.#write(i, () => value + i)
      this.tables.gather(this.#slabs, columns, this.#batches[0]!.subarray(0, n), 'learn', 0, this.#out)
      this.tables.update(this.#gradient, this.#out.offset)
    }
    this.fillMs = performance.now() - began
    this.rssPerRow = rows < 1_000_000 ? null : (process.memoryUsage().rss - rss) / rows
    const random = new Random(5)
    for (let i = 0; i < BATCH * COLD_BATCHES; i++) this.#write(i, () => random.integer(values))
  }

  #write(row: number, value: () => number): void {
    const { keys } = this.#slabs[Math.floor(row / SLAB_ROWS)]!
    for (let slot = 0; slot < SLOTS; slot++) writeKey(keys, ((row % SLAB_ROWS) * SLOTS + slot) * 2, slot, value())
  }

  /** Mean times of one step over some steps. */
  steps(count: number, hot: boolean): [gatherMs: number, updateMs: number] {
    let gather = 0
    let update = 0
    for (let step = 0; step < count; step++) {
      const batch = this.#batches[hot ? 0 : this.#next++ % COLD_BATCHES]!
      const start = performance.now()
      this.tables.gather(this.#slabs, columns, batch, 'learn', 0, this.#out)
      const middle = performance.now()
      this.tables.update(this.#gradient, this.#out.offset)
      gather += middle - start
      update += performance.now() - middle
      this.tables.maintain(0)
    }
    return [gather / count, update / count]
  }
}

function spread(times: number[]): Spread {
  const sorted = [...times].sort((a, b) => a - b)
  return { min: sorted[0]!, median: sorted[sorted.length >> 1]! }
}

export function benchTable(sizes: readonly number[] = [10_000, 100_000, 1_000_000, 10_000_000]): TableBench {
  const setups = sizes.map(rows => new Setup(rows))
  const modes = ['hot', 'cold'] as const
  const times = setups.map(() => ({ hot: [] as [number, number][], cold: [] as [number, number][] }))
  for (const setup of setups) setup.steps(COLD_BATCHES, false)
  for (let round = 0; round < ROUNDS; round++) {
    for (const mode of modes) {
      setups.forEach((setup, at) => {
        if (mode === 'hot') setup.steps(2, true)
        times[at]![mode].push(setup.steps(mode === 'hot' ? HOT_BATCHES : COLD_BATCHES, mode === 'hot'))
      })
    }
  }
  const results = setups.map((setup, at) => {
    const of = (mode: 'hot' | 'cold'): Times => ({
      gatherMs: spread(times[at]![mode].map(([gather]) => gather)),
      updateMs: spread(times[at]![mode].map(([, update]) => update)),
    })
    const { rows, bytes } = setup.tables.stats()
    return {
      rows,
      fillMs: setup.fillMs,
      bytesPerRow: bytes / rows,
      rssPerRow: setup.rssPerRow,
      hot: of('hot'),
      cold: of('cold'),
    }
  })
  const ratio = (mode: 'hot' | 'cold'): Spread => {
    const whole = (at: number) => spread(times[at]![mode].map(([gather, update]) => gather + update))
    const [least, most] = [whole(0), whole(setups.length - 1)]
    return { min: most.min / least.min, median: most.median / least.median }
  }
  return { batch: BATCH, slots: SLOTS, dim: DIM, sizes: results, ratio: { hot: ratio('hot'), cold: ratio('cold') } }
}

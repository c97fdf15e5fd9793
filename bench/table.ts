/**
 * One step against the number of rows in the embedding tables, and memory per row. A step is gather, the network of
 * bench/step.ts on onnx, update and upkeep.
 *
 * Ten single-valued slots of dim 16, a table each, batch 1024; values are drawn evenly from the whole table, the hardest
 * case for caches (real streams repeat their popular ids). `hot` repeats one batch: what the size of the table alone
 * costs. `cold` goes through 64 batches in turn: what a stream pays, whose rows come from memory. Sizes are measured in
 * turn within each round. `part` is gather and update alone, where all of the difference comes from.
 */
import { createOnnxBackend } from '../src/backend/onnx.js'
import { createSlabBuffer, SLAB_ROWS, type Slab, viewSlab } from '../src/features/columns.js'
import type { FeatureLayout } from '../src/features/layout.js'
import { SlotTables } from '../src/features/table/slot-tables.js'
import type { DeepModel } from '../src/model/deep-model.js'
import { Random } from '../src/std/random.js'
import { type Spread, spreadOf } from './statistics.js'
import { createBenchModel } from './step.js'

const SLOTS = 10
const DIM = 16
const TASKS = 3
const BATCH = 1024
const ROUNDS = 9
const SIZES = [10_000, 100_000, 1_000_000, 10_000_000]
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
    side: undefined,
    isId: false,
    ofUser: undefined,
  })),
  keyPlaces: SLOTS,
  userPlace: -1,

  embeddedSlots: SLOTS,
  dense: [],
  embeddings: [],
  linear: [],
}
const optimizer = {
  dense: { rate: 0.002, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
  rows: { rate: 0.05, accumulatorStart: 0.1, keep: 0.99999 },
  biases: { rate: 0.1, accumulatorStart: 1 },
  wide: { alpha: 0.05, beta: 1, l1: 0.5, l2: 1 },
}
const columns = { keyPlaces: SLOTS, dense: 0, tasks: TASKS, notes: 0 }

export interface TableBench {
  batch: number
  slots: number
  dim: number
  /** bytesPerRow: held by the tables; rssPerRow: growth of the process while filling, null where too small to tell. */
  sizes: { rows: number; fillMs: number; bytesPerRow: number; rssPerRow: number | null; hot: Times; cold: Times }[]
  /** Largest table's time over the smallest's, per round: of the whole step, and of gather and update alone. */
  ratio: Record<'hot' | 'cold', { step: Spread; part: Spread }>
}

interface StepTimes {
  gatherMs: number
  networkMs: number
  updateMs: number
}

type Times = Record<keyof StepTimes, Spread>

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
  readonly #deep: DeepModel
  readonly #labels = Float32Array.from({ length: BATCH * TASKS }, (_, i) => (i % 3 === 2 ? 1 + (i % 5) : i % 2))
  readonly #mask = new Uint8Array(BATCH * TASKS).fill(1)
  #next = 0

  constructor(rows: number, deep: DeepModel) {
    this.rows = rows
    this.#deep = deep
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
  async steps(count: number, hot: boolean): Promise<StepTimes> {
    const times = { gatherMs: 0, networkMs: 0, updateMs: 0 }
    for (let step = 0; step < count; step++) {
      const batch = this.#batches[hot ? 0 : this.#next++ % COLD_BATCHES]!
      const start = performance.now()
      this.tables.gather(this.#slabs, columns, batch, 'learn', 0, this.#out)
      const gathered = performance.now()
      const learned = await this.#deep.learn({ n: BATCH, ...this.#out }, this.#labels, this.#mask)
      const answered = performance.now()
      this.tables.update(learned.embeddedGradient, learned.offsetGradient)
      this.tables.maintain(0)
      times.gatherMs += (gathered - start) / count
      times.networkMs += (answered - gathered) / count
      times.updateMs += (performance.now() - answered) / count
    }
    return times
  }
}

export async function benchTable({ sizes = SIZES, rounds = ROUNDS } = {}): Promise<TableBench> {
  const backend = await createOnnxBackend({ threads: 1 })
  const { deep } = await createBenchModel(backend, SLOTS, 0)
  const setups = sizes.map(rows => new Setup(rows, deep))
  const modes = ['hot', 'cold'] as const
  const times = setups.map(() => ({ hot: [] as StepTimes[], cold: [] as StepTimes[] }))
  for (const setup of setups) await setup.steps(COLD_BATCHES, false)
  for (let round = 0; round < rounds; round++) {
    for (const mode of modes) {
      for (const [at, setup] of setups.entries()) {
        if (mode === 'hot') await setup.steps(2, true)
        times[at]![mode].push(await setup.steps(mode === 'hot' ? HOT_BATCHES : COLD_BATCHES, mode === 'hot'))
      }
    }
  }
  await deep.close()
  await backend.close()
  const ratio = (mode: 'hot' | 'cold', of: (times: StepTimes) => number): Spread => {
    const [least, most] = [times[0]![mode], times.at(-1)![mode]]
    return spreadOf(most.map((largest, round) => of(largest) / of(least[round]!)))
  }
  const step = ({ gatherMs, networkMs, updateMs }: StepTimes) => gatherMs + networkMs + updateMs
  const part = ({ gatherMs, updateMs }: StepTimes) => gatherMs + updateMs
  const ratios = (mode: 'hot' | 'cold') => ({ step: ratio(mode, step), part: ratio(mode, part) })
  return {
    batch: BATCH,
    slots: SLOTS,
    dim: DIM,
    sizes: setups.map((setup, at) => {
      const of = (mode: 'hot' | 'cold'): Times => ({
        gatherMs: spreadOf(times[at]![mode].map(({ gatherMs }) => gatherMs)),
        networkMs: spreadOf(times[at]![mode].map(({ networkMs }) => networkMs)),
        updateMs: spreadOf(times[at]![mode].map(({ updateMs }) => updateMs)),
      })
      const { fillMs, rssPerRow } = setup
      const { rows, bytes } = setup.tables.stats()
      return { rows, fillMs, bytesPerRow: bytes / rows, rssPerRow, hot: of('hot'), cold: of('cold') }
    }),
    ratio: { hot: ratios('hot'), cold: ratios('cold') },
  }
}

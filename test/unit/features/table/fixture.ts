import type { LoadedState, PartState, RowEncoding, StateArray } from '../../../../src/domain/state.js'
import { type ColumnLayout, ExampleColumns, SLAB_ROWS } from '../../../../src/features/columns.js'
import type { FeatureLayout, SlotLayout } from '../../../../src/features/layout.js'

import { SlotTables } from '../../../../src/features/table/slot-tables.js'

export const OPTIMIZER = {
  dense: { rate: 0.001, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
  rows: { rate: 0.05, accumulatorStart: 0.1, keep: 0.9 },
  biases: { rate: 0.1, accumulatorStart: 1 },
  wide: { alpha: 0.05, beta: 1, l1: 0.5, l2: 1 },
}

export interface Setting {
  slots: Partial<SlotLayout>[]
  dim?: number
  tasks?: number
  dense?: number
  rowStart?: number
  admitAfter?: number
  expireAfter?: number
  maxRows?: number
  tracksChanges?: boolean
}

/** Tables, example columns and buffers of the right size; values are small integers, 0 = empty place. */
export function fixture(setting: Setting) {
  const { dim = 2, tasks = 1, dense = 0, rowStart = 0.5, admitAfter = 1, maxRows = 1_000_000 } = setting
  let keyPlaces = 0
  let embeddedSlots = 0
  const slots = setting.slots.map((slot, at): SlotLayout => {
    const { name = `slot${at}`, places = 1, embedIndex = 0, bias = false, wide = false } = slot
    const firstPlace = keyPlaces
    keyPlaces += places
    const embedded = embedIndex < 0 ? -1 : embeddedSlots++
    return {
      name,
      table: slot.table ?? name,
      firstPlace,
      places,
      embedIndex: embedded,
      bias,
      wide,
      side: undefined,
      isId: false,
      ofUser: slot.ofUser,
    }
  })
  const userPlace = slots.find(slot => slot.ofUser === 'itself')?.firstPlace ?? -1
  const layout: FeatureLayout = { slots, keyPlaces, userPlace, embeddedSlots, dense: [], embeddings: [], linear: [] }
  const limits = {
    admitAfter,
    maxRows,
    ...(setting.expireAfter === undefined ? {} : { expireAfter: setting.expireAfter }),
  }
  const create = (tracksChanges = false, encoding: RowEncoding = 'float32') =>
    new SlotTables(layout, tasks, { dim, rowStart, seed: 7 }, OPTIMIZER, limits, tracksChanges, encoding)
  const columnLayout: ColumnLayout = { keyPlaces, dense, tasks, notes: 0 }
  const columns = new ExampleColumns(columnLayout, () => {})

  const example = (values: number[]) => {
    const row = columns.allocate()
    const slab = columns.slab(row)
    values.forEach((value, place) => {
      const at = ((row % SLAB_ROWS) * keyPlaces + place) * 2
      slab.keys[at] = value === 0 ? 0 : Math.imul(value, 0x9e3779b1) >>> 0
      slab.keys[at + 1] = value === 0 ? 0 : value
    })
    return row
  }
  const gather = (tables: SlotTables, examples: number[][], mode: 'score' | 'learn', eventTimeMs = 0) => {
    const rows = Int32Array.from(examples, example)
    const out = {
      embedded: new Float32Array(rows.length * embeddedSlots * dim).fill(Number.NaN),
      dense: new Float32Array(rows.length * dense),
      offset: new Float32Array(rows.length * tasks).fill(Number.NaN),
    }
    tables.gather(columns.slabs, columnLayout, rows, mode, eventTimeMs, out)
    for (const row of rows) columns.free(row)
    return out
  }
  /** One learning step with the same gradient everywhere, or the ones given. */
  const learn = (
    tables: SlotTables,
    examples: number[][],
    gradients: { embedded?: number[]; offset?: number[] } = {},
    eventTimeMs = 0,
  ) => {
    const out = gather(tables, examples, 'learn', eventTimeMs)
    tables.update(
      Float32Array.from(out.embedded, (_, at) => gradients.embedded?.[at] ?? 0),
      Float32Array.from(out.offset, (_, at) => gradients.offset?.[at] ?? 0),
    )
    return out
  }
  return { layout, columnLayout, columns, create, tables: create(setting.tracksChanges), example, gather, learn }
}

/** As a checkpoint would give it back: slabs joined, meta through JSON, memory not shared. */
export function stored(state: PartState): LoadedState {
  const arrays: Record<string, StateArray> = {}
  for (const [name, array] of Object.entries(state.arrays)) {
    const slabs = Array.isArray(array) ? array : [array]
    const bytes = slabs.map(slab => Buffer.from(slab.buffer, slab.byteOffset, slab.byteLength))
    const joined = new Uint8Array(Buffer.concat(bytes)).buffer
    const Kind = (slabs[0]?.constructor ?? Float32Array) as new (buffer: ArrayBuffer) => StateArray
    arrays[name] = new Kind(joined)
  }
  return { meta: JSON.parse(JSON.stringify(state.meta)), arrays }
}

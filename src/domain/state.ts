/**
 * What a stateful part writes into a checkpoint. `meta` is JSON (small; no wall-clock times, keys in a fixed order);
 * big state goes into typed arrays. Saving and loading again must give the same behaviour AND the same saved bytes:
 * checkpoints of two equal runs are compared byte for byte.
 */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json }

export type StateArray = Float32Array | Float64Array | Int32Array | Uint32Array | Uint8Array | BigUint64Array

export interface PartState {
  meta: Json
  /** A list stands for the concatenation of its slabs, of which there is one at least, be it empty. */
  arrays: Record<string, StateArray | StateArray[]>
}

/** As read back: always one array a name. */
export interface LoadedState {
  meta: Json
  arrays: Record<string, StateArray>
}

export interface Stateful {
  saveState(): PartState
  /** Called once, on a freshly constructed part, before anything else. */
  loadState(state: LoadedState): void
}

/** How embedding rows and those of the fast part are published; which numbers are which: features/table/encoded-words. */
export const ROW_ENCODINGS = ['float32', 'float16', 'int8'] as const
export type RowEncoding = (typeof ROW_ENCODINGS)[number]

/**
 * What is published of one part of the model: what scoring needs, and nothing else. Three forms:
 * - whole: the state itself, each time.
 * - rows: arrays `keys` [n, 2] u32, `rows` [n, words] in the encoding named, `removed` [m, 2] u32 (keys that are gone; they
 *   go before the rows come), and `words` in meta. `full` has all rows, `delta` those that changed since the last publication of either kind.
 * - log: `full` is the state itself, with `digest` in meta; `delta` says what happened since, for the reader to repeat: an
 *   array `entries` [n, words] u32, `words` in meta, beside whatever the entries refer to.
 */
export interface PublishedState {
  form: 'whole' | 'rows' | 'log'
  /** How the words of rows are to be read. cells: first float64 numbers, two words each (`numbers` in meta), then u32. */
  encoding: RowEncoding | 'cells'
  state: PartState
  /** Form rows: how many there are after it, changed ones among them, removed ones. Form log: 0, entries, 0. Else 0. */
  rows: number
  changed: number
  removed: number
  /**
   * Form rows: a checksum of all rows that does not depend on how they came about. Form log: one of all entries there ever
   * were, in their order. Form whole: absent, its bytes have one.
   */
  digest?: string
}

/** A part of a version by its name. */
export type NamedPart = [name: string, published: PublishedState]

export type SnapshotKind = 'full' | 'delta'

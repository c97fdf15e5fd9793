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

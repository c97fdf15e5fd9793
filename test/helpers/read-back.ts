import type { LoadedState, PartState, StateArray } from '../../src/domain/state.js'

/** A saved part as a checkpoint would give it back: slabs joined, meta through JSON. */
export function readBack({ meta, arrays }: PartState): LoadedState {
  const copies = Object.entries(arrays).map(([name, list]): [string, StateArray] => {
    const slabs = Array.isArray(list) ? list : [list]
    const Type = slabs[0]?.constructor as new (length: number) => StateArray
    const copy = new Type(slabs.reduce((sum, slab) => sum + slab.length, 0))
    let at = 0
    for (const slab of slabs) {
      copy.set(slab as never, at)
      at += slab.length
    }
    return [name, copy]
  })
  return { meta: JSON.parse(JSON.stringify(meta)), arrays: Object.fromEntries(copies) }
}

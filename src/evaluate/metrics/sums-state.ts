import type { PartState, StateArray } from '../../domain/state.js'

/**
 * Sums as saved: most bins of a histogram are empty, so only what is not 0 is written, in order. Of 2 MB a task this
 * leaves some 10 kB to 100 kB in each checkpoint.
 */
export function packSums(name: string, sums: Float64Array): PartState['arrays'] {
  let filled = 0
  for (const sum of sums) if (sum !== 0) filled++
  const places = new Uint32Array(filled)
  const values = new Float64Array(filled)
  let next = 0
  for (let place = 0; place < sums.length; place++) {
    const sum = sums[place] ?? 0
    if (sum === 0) continue
    places[next] = place
    values[next] = sum
    next++
  }
  return { [`${name}Places`]: places, [`${name}Values`]: values }
}

/** The reverse, into sums of the same length. */
export function unpackSums(name: string, arrays: Record<string, StateArray>, sums: Float64Array): void {
  const places = arrays[`${name}Places`]
  const values = arrays[`${name}Values`]
  if (!(places instanceof Uint32Array && values instanceof Float64Array && places.length === values.length)) {
    throw new TypeError(`the saved state has no sums named ${name}`)
  }
  sums.fill(0)
  for (let index = 0; index < places.length; index++) {
    const place = places[index] ?? 0
    if (place >= sums.length) throw new RangeError(`the saved sums ${name} are longer than ${sums.length}`)
    sums[place] = values[index] ?? 0
  }
}

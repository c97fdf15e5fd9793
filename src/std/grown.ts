type Numbers = Int32Array | Uint32Array | Float32Array | Float64Array

/** The list if it is so long already, else a copy with room for that and more; what is new is 0. */
export function grown<T extends Numbers>(list: T, length: number): T {
  if (list.length >= length) return list
  const longer = new (list.constructor as new (length: number) => T)(Math.max(1024, length, list.length * 2))
  longer.set(list)
  return longer
}

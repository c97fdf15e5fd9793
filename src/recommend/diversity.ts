/** Lists that are not all of one kind. */

/**
 * The first items, in their order, with at most so many of each value: an item counts for each of its values, and is
 * left out if one of them has enough. Items without values are never too many.
 */
export function diverse<T>(
  list: readonly T[],
  valuesOf: (item: T) => readonly number[],
  most: number,
  size: number,
): T[] {
  const counts = new Map<number, number>()
  const kept: T[] = []
  for (const item of list) {
    if (kept.length === size) break
    const values = valuesOf(item)
    if (values.some(value => (counts.get(value) ?? 0) >= most)) continue
    for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
    kept.push(item)
  }
  return kept
}

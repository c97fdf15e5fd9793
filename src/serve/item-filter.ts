/** Which items of the catalogue a list is made of, by what the features keep of them. */
import { MillraceError } from '../domain/errors.js'
import type { Id } from '../domain/event.js'
import type { FeatureExtractor } from '../features/extract.js'

export interface ItemChoice {
  /** Items that are left out. */
  exclude?: readonly string[] | undefined
  /** Attribute → a value that items must have, such as { category: 'shoes' }; of attributes that features use. */
  where?: Record<string, string> | undefined
  /** Number → its least and greatest value, both included, such as { price: { max: 50 } }; of numbers that features use. */
  between?: Record<string, { min?: number | undefined; max?: number | undefined }> | undefined
}

/** undefined: every item will do. REQUEST_INVALID: nothing of that name is kept. */
export function createItemFilter(
  features: FeatureExtractor,
  { exclude = [], where = {}, between = {} }: ItemChoice,
): ((item: Id) => boolean) | undefined {
  const wanted = Object.entries(where)
  const ranges = Object.entries(between)
  for (const [attribute] of wanted) checkKept('where', attribute, features.itemAttributes)
  for (const [number, { min, max }] of ranges) {
    checkKept('between', number, features.itemNumbers)
    if (Number.isNaN(min) || Number.isNaN(max))
      throw new MillraceError('REQUEST_INVALID', `between: a bound of ${number} is not a number`)
  }
  if (exclude.length === 0 && wanted.length === 0 && ranges.length === 0) return undefined
  const excluded = new Set(exclude)
  return item =>
    !excluded.has(item) &&
    wanted.every(([attribute, value]) => features.itemHas(item, attribute, value)) &&
    ranges.every(([number, { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY }]) => {
      const value = features.itemNumber(item, number)
      return value !== undefined && value >= min && value <= max
    })
}

/** REQUEST_INVALID: no feature uses it, so nothing of it is kept. */
export function checkKept(field: string, name: string, known: readonly string[]): void {
  if (known.includes(name)) return
  const kept = known.length === 0 ? 'none is' : `${known.join(', ')} are`
  throw new MillraceError('REQUEST_INVALID', `${field}: no feature uses item.${name}; of items ${kept} kept`)
}

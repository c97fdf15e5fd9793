/**
 * The shop's language: made-up words. Some belong to a category, some to one end of one axis of taste, the rest to
 * nothing, so that titles and texts tell a learner something of what an item is.
 */
import type { Random } from '../std/random.js'

const ONSETS = [
  'b',
  'd',
  'f',
  'g',
  'h',
  'k',
  'l',
  'm',
  'n',
  'p',
  'r',
  's',
  't',
  'v',
  'w',
  'z',
  'br',
  'cl',
  'dr',
  'st',
  'tr',
]
const VOWELS = ['a', 'e', 'i', 'o', 'u', 'ai', 'ea', 'oo']
const CODAS = ['', '', 'n', 'r', 'l', 's', 'm', 'k']

export interface Words {
  /** Words of each category. */
  category: string[][]
  /** Words of each axis of taste: [2 * axis] its negative end, [2 * axis + 1] its positive end. */
  axis: string[][]
  filler: string[]
  brands: string[]
}

export function createWords(random: Random, sizes: { categories: number; axes: number; brands: number }): Words {
  const taken = new Set<string>()
  const word = (syllables: number): string => {
    for (;;) {
      let text = ''
      for (let n = 0; n < syllables; n++)
        text += pick(random, ONSETS) + pick(random, VOWELS) + (n === syllables - 1 ? pick(random, CODAS) : '')
      if (!taken.has(text)) {
        taken.add(text)
        return text
      }
    }
  }
  const list = (length: number, syllables: number) => Array.from({ length }, () => word(syllables))
  return {
    category: Array.from({ length: sizes.categories }, () => list(24, 2)),
    axis: Array.from({ length: sizes.axes * 2 }, () => list(10, 2)),
    filler: list(60, 3),
    brands: list(sizes.brands, 2).map(name => name.charAt(0).toUpperCase() + name.slice(1)),
  }
}

export function pick(random: Random, list: readonly string[]): string {
  return list[random.integer(list.length)] ?? ''
}

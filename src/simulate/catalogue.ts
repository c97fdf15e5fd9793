/**
 * What the shop sells. All items of the whole log are drawn at the start, in order of arrival, into typed arrays: memory
 * depends on the number of items alone. An item is a point in the space of tastes near its category's centre, with a
 * quality that nobody sees, a popularity that decides how often it is shown, a brand and a price (log-normal around its
 * category's level, so that `priceZ` compares like with like). Prices change: sales come and go.
 */
import type { Random } from '../std/random.js'
import { drawByWeight } from './draw.js'
import { createWords, pick, type Words } from './words.js'

export const AXES = 8
export const CATEGORIES = 12
const BRANDS = 40
const CATEGORY_SPREAD = 0.6
const PRICE_SPREAD = 0.5

export class Catalogue {
  readonly size: number
  /** [size] milliseconds since the start at which the item arrives; 0 = there from the start. */
  readonly arrivalMs: Float64Array
  readonly category: Uint8Array
  readonly brand: Uint8Array
  /** [size, AXES] */
  readonly latent: Float32Array
  readonly quality: Float32Array
  /** Price now. */
  readonly price: Float64Array
  /** log(price) against its category, in standard deviations; now. */
  readonly priceZ: Float32Array
  readonly #words: Words
  readonly #titles: string[] = []
  readonly #texts: string[] = []
  readonly #basePrice: Float64Array
  /** [CATEGORIES] mean of log(price). */
  readonly #priceLevel: Float64Array
  /** Per category: its items in order of arrival, their summed popularity, and how many are there by now. */
  readonly #members: Int32Array[] = []
  readonly #popularity: Float64Array[] = []
  readonly #present = new Int32Array(CATEGORIES)
  #arrived = 0

  constructor(random: Random, sizes: { initial: number; later: number; durationMs: number }) {
    const size = sizes.initial + sizes.later
    this.size = size
    this.arrivalMs = new Float64Array(size)
    this.category = new Uint8Array(size)
    this.brand = new Uint8Array(size)
    this.latent = new Float32Array(size * AXES)
    this.quality = new Float32Array(size)
    this.price = new Float64Array(size)
    this.priceZ = new Float32Array(size)
    this.#basePrice = new Float64Array(size)
    this.#words = createWords(random, { categories: CATEGORIES, axes: AXES, brands: BRANDS })
    const later = Array.from({ length: sizes.later }, () => random.uniform() * sizes.durationMs).sort((a, b) => a - b)
    this.arrivalMs.set(later, sizes.initial)

    const categoryShare = new Float64Array(CATEGORIES)
    for (let c = 0, sum = 0; c < CATEGORIES; c++) categoryShare[c] = sum += 1 / (c + 3)
    const centres = Float32Array.from({ length: CATEGORIES * AXES }, () => random.normal() / Math.sqrt(AXES))
    const priceLevel = Float64Array.from({ length: CATEGORIES }, () => 3 + random.normal() * 0.7)
    const weights = new Float64Array(size)
    for (let item = 0; item < size; item++) {
      // The first items go round the categories, so that none is empty unless there are fewer items than categories.
      const category = item < CATEGORIES ? item : drawByWeight(random, categoryShare, CATEGORIES)
      this.category[item] = category
      // A brand sells in few categories: half its items come from the brands of this one.
      this.brand[item] = random.uniform() < 0.5 ? (category * 3 + random.integer(4)) % BRANDS : random.integer(BRANDS)
      for (let axis = 0; axis < AXES; axis++) {
        this.latent[item * AXES + axis] =
          (centres[category * AXES + axis] ?? 0) + (CATEGORY_SPREAD * random.normal()) / Math.sqrt(AXES)
      }
      const quality = random.normal()
      this.quality[item] = quality
      weights[item] = Math.exp(0.9 * random.normal() + 0.3 * quality)
      this.#basePrice[item] = Math.exp((priceLevel[category] ?? 3) + PRICE_SPREAD * random.normal())
      this.#setPrice(item, this.#basePrice[item] ?? 1, priceLevel[category] ?? 3)
      this.#write(random, item)
    }
    this.#priceLevel = priceLevel
    for (let category = 0; category < CATEGORIES; category++) {
      const members = Int32Array.from({ length: size }, (_, item) => item).filter(
        item => this.category[item] === category,
      )
      const popularity = new Float64Array(members.length)
      let sum = 0
      members.forEach((item, index) => {
        popularity[index] = sum += weights[item] ?? 0
      })
      this.#members.push(members)
      this.#popularity.push(popularity)
    }
  }

  /** Number of items that are there. */
  get arrived(): number {
    return this.#arrived
  }

  /** The next item to arrive if it does so by then; -1 otherwise. */
  nextArrival(nowMs: number): number {
    const item = this.#arrived
    if (item >= this.size || (this.arrivalMs[item] ?? 0) > nowMs) return -1
    this.#arrived++
    const category = this.category[item] ?? 0
    this.#present[category] = (this.#present[category] ?? 0) + 1
    return item
  }

  /** An item of the category by popularity; any item if the category is empty. */
  drawPopular(random: Random, category: number): number {
    const present = this.#present[category] ?? 0
    const popularity = this.#popularity[category]
    if (present === 0 || popularity === undefined) return random.integer(this.#arrived)
    return this.#members[category]?.[drawByWeight(random, popularity, present)] ?? 0
  }

  /** Begins or ends a sale, or moves the price for good. */
  changePrice(random: Random, item: number): void {
    const base = this.#basePrice[item] ?? 1
    const onSale = (this.price[item] ?? base) < base * 0.95
    if (!onSale && random.uniform() < 0.2) this.#basePrice[item] = base * Math.exp(0.1 * random.normal())
    const price = onSale ? base : base * (0.6 + 0.3 * random.uniform())
    this.#setPrice(item, price, this.#priceLevel[this.category[item] ?? 0] ?? 3)
  }

  /** What was good is bad from now on. */
  turnQuality(): void {
    for (let item = 0; item < this.size; item++) this.quality[item] = -(this.quality[item] ?? 0)
  }

  title(item: number): string {
    return this.#titles[item] ?? ''
  }

  text(item: number): string {
    return this.#texts[item] ?? ''
  }

  brandName(item: number): string {
    return this.#words.brands[this.brand[item] ?? 0] ?? ''
  }

  #setPrice(item: number, price: number, level: number): void {
    const rounded = Math.max(1, Math.round(price * 100)) / 100
    this.price[item] = rounded
    this.priceZ[item] = (Math.log(rounded) - level) / PRICE_SPREAD
  }

  /** Title: brand, words of the category, a word of the axis on which the item stands out most. Text: more of these. */
  #write(random: Random, item: number): void {
    let strongest = 0
    for (let axis = 1; axis < AXES; axis++) {
      if (Math.abs(this.latent[item * AXES + axis] ?? 0) > Math.abs(this.latent[item * AXES + strongest] ?? 0))
        strongest = axis
    }
    const ofAxis = (axis: number) =>
      pick(random, this.#words.axis[2 * axis + ((this.latent[item * AXES + axis] ?? 0) > 0 ? 1 : 0)] ?? [])
    const ofCategory = () => pick(random, this.#words.category[this.category[item] ?? 0] ?? [])
    this.#titles.push(`${this.brandName(item)} ${ofAxis(strongest)} ${ofCategory()} ${ofCategory()}`)
    const text: string[] = []
    for (let n = 0; n < 10; n++) {
      const draw = random.uniform()
      if (draw < 0.35) text.push(ofCategory())
      else if (draw < 0.65) text.push(ofAxis(random.uniform() < 0.5 ? strongest : random.integer(AXES)))
      else text.push(pick(random, this.#words.filler))
    }
    this.#texts.push(text.join(' '))
  }
}

/** Items are numbered, as most shops do; users are not: the log has ids of both forms. */
export function itemId(item: number): bigint {
  return BigInt(100_001 + item)
}

export function categoryName(category: number): string {
  return CATEGORY_NAMES[category] ?? `category-${category}`
}

const CATEGORY_NAMES = [
  'garden',
  'kitchen',
  'books',
  'music',
  'shoes',
  'sports',
  'toys',
  'tools',
  'beauty',
  'office',
  'travel',
  'pets',
]

/**
 * The entities that features are kept by: users and items always, then attributes such as item.category and pairs.
 * look() finds where a subject's entities lie in each table; it is the one place where ids become rows. An attribute
 * is taken from the item's or user's profile as it is now, by its first value.
 */
import type { Id } from '../domain/event.js'
import type { Hasher } from '../std/hash.js'
import { EntityTable } from './entity-table.kernel.js'
import type { Profiles } from './profiles.kernel.js'
import { Tallies } from './tallies.kernel.js'

/** Table of users, table of items. */
export const USER = 0
export const ITEM = 1
/** In `rows`: the entity is known but has no row yet; or the subject has no such entity (an item without category). */
export const NO_ROW = -1
export const NO_ENTITY = -2

/** Where one part of an entity's key comes from: the id itself (attribute -1) or an attribute's first word. */
interface KeyPart {
  side: typeof USER | typeof ITEM
  attribute: number
}

export class Entities {
  readonly tables: EntityTable[] = []
  /** By table, like all that follows. */
  readonly tallies: Tallies[] = []
  /** Of the subject that was looked at last. */
  rows = new Int32Array(0)
  los = new Uint32Array(0)
  his = new Uint32Array(0)
  readonly #maxRows: number
  readonly #tracksChanges: boolean
  readonly #hasher: Hasher
  readonly #parts: KeyPart[][] = []
  #user: Id | undefined
  #item: Id | undefined
  #fresh = false

  constructor(maxRows: number, hasher: Hasher, tracksChanges: boolean) {
    this.#maxRows = maxRows
    this.#tracksChanges = tracksChanges
    this.#hasher = hasher
    this.#add('user', [])
    this.#add('item', [])
  }

  /** Index of the table for an entity or a pair, made at the first asking. The order of a pair does not matter. */
  tableOf(by: readonly string[], profiles: readonly [user: Profiles, item: Profiles]): number {
    const sorted = [...by].sort()
    const name = sorted.join('+')
    const known = this.tables.findIndex(table => table.name === name)
    if (known >= 0) return known
    const parts = sorted.map((entity): KeyPart => {
      const [owner, attribute] = entity.split('.')
      const side = owner === 'user' ? USER : ITEM
      return { side, attribute: attribute === undefined ? -1 : profiles[side].attribute(attribute).firstWord }
    })
    return this.#add(name, parts)
  }

  /** Sets rows, los and his. Looking again at the same subject costs nothing, until forget(). */
  look(user: Id, item: Id): void {
    if (this.#fresh && user === this.#user && item === this.#item) return
    if (user !== this.#user) this.#hash(USER, user)
    if (item !== this.#item) this.#hash(ITEM, item)
    this.#user = user
    this.#item = item
    this.#fresh = true
    const { rows, los, his, tables } = this
    rows[USER] = tables[USER]!.find(los[USER]!, his[USER]!)
    rows[ITEM] = tables[ITEM]!.find(los[ITEM]!, his[ITEM]!)
    for (let table = 2; table < tables.length; table++) {
      rows[table] = this.#key(table) ? tables[table]!.find(los[table]!, his[table]!) : NO_ENTITY
    }
  }

  /** The looked-at subject's row in a table, made if need be; NO_ENTITY if it has no such entity. */
  row(table: number): number {
    let row = this.rows[table]!
    if (row === NO_ROW) {
      row = this.tables[table]!.insert(this.los[table]!, this.his[table]!, this.los[USER]!, this.his[USER]!)
      this.rows[table] = row
    }
    return row
  }

  /** Removes the rows of a user, and those of each pair with the user. Returns how many they were, by table; only where there were any. */
  erase(user: Id): Record<string, number> {
    this.#hasher.text(user)
    const { lo, hi } = this.#hasher
    const counts = this.tables.map((table, index): [string, number] => [
      table.name,
      index === USER ? table.remove(lo, hi) : table.removeOf(lo, hi),
    ])
    this.forget()
    return Object.fromEntries(counts.filter(([, rows]) => rows > 0))
  }

  /**
   * To be called after every change, and after loading: the next look must look. (Not even rows made by row() may be
   * remembered: looking counts as a use of them, and would not happen in a run that goes on without having been loaded.)
   */
  forget(): void {
    this.#fresh = false
  }

  #add(name: string, parts: KeyPart[]): number {
    const isOwned = parts.length > 1 && parts.some(({ side, attribute }) => side === USER && attribute < 0)
    const table = new EntityTable(name, this.#maxRows, this.#tracksChanges, isOwned)
    this.#parts.push(parts)
    this.tallies.push(new Tallies(table))
    const length = this.tables.push(table)
    this.rows = new Int32Array(length)
    this.los = new Uint32Array(length)
    this.his = new Uint32Array(length)
    return length - 1
  }

  #hash(side: typeof USER | typeof ITEM, id: Id): void {
    this.#hasher.text(id)
    this.los[side] = this.#hasher.lo
    this.his[side] = this.#hasher.hi
  }

  /** Key of an attribute or a pair from the subject's ids and profiles; false if a part is missing. */
  #key(table: number): boolean {
    let lo = 0
    let hi = 0
    for (const { side, attribute } of this.#parts[table]!) {
      let partLo = this.los[side]!
      let partHi = this.his[side]!
      if (attribute >= 0) {
        const row = this.rows[side]!
        if (row < 0) return false
        const { words, wordWidth } = this.tables[side]!
        partLo = words[row * wordWidth + attribute]!
        partHi = words[row * wordWidth + attribute + 1]!
        if ((partLo | partHi) === 0) return false
      }
      if ((lo | hi) === 0) {
        lo = partLo
        hi = partHi
      } else {
        this.#hasher.mix(lo, hi, partLo, partHi)
        lo = this.#hasher.lo
        hi = this.#hasher.hi
      }
    }
    this.los[table] = lo
    this.his[table] = hi
    return true
  }
}

/**
 * All that earlier events left behind, by entity, and how an event changes it. Only what the configuration uses is
 * kept; besides that, how many events each user and each item has had.
 */
import type { ProfileNeed } from '../config/label-source.js'
import type { Config } from '../config/schema.js'
import type { Id, Impression, Positive, Profile, TimedEvent } from '../domain/event.js'
import type { Hasher } from '../std/hash.js'
import { Entities, ITEM, USER } from './entities.kernel.js'
import { EntityTable } from './entity-table.kernel.js'
import { Profiles } from './profiles.kernel.js'
import { RecentItems } from './recent-items.kernel.js'
import { KINDS, Tallies } from './tallies.kernel.js'
import { wantedAttributes, wantedNumbers, wantedRecent, wantedVectors } from './wanted.js'

const SIDES = { user: USER, item: ITEM } as const

export interface KnownUser {
  /** Events of hers so far. */
  events: number
  /** Of her profile; its attributes are kept as hashes only. */
  numbers: Record<string, number>
}

export class KeyedState {
  readonly entities: Entities
  readonly profiles: readonly [user: Profiles, item: Profiles]
  /** Tallies over all entities, in row 0. */
  readonly everybody: Tallies
  readonly recent: ReadonlyMap<string, RecentItems>
  readonly #hasher: Hasher
  /** Cells with the number of events, by USER and ITEM. */
  readonly #events: readonly [user: number, item: number]

  constructor(config: Config['features'], hasher: Hasher, tracksChanges: boolean, needs: readonly ProfileNeed[] = []) {
    this.#hasher = hasher
    this.entities = new Entities(config.maxEntities, hasher, tracksChanges)
    const [user, item] = [this.entities.tables[USER]!, this.entities.tables[ITEM]!]
    this.#events = [user.addNumber(0), item.addNumber(0)]
    this.profiles = [
      new Profiles(
        user,
        hasher,
        wantedAttributes(config, 'user', needs),
        wantedNumbers(config, 'user', needs),
        wantedVectors(config, 'user'),
      ),
      new Profiles(
        item,
        hasher,
        wantedAttributes(config, 'item', needs),
        wantedNumbers(config, 'item', needs),
        wantedVectors(config, 'item'),
      ),
    ]
    this.recent = new Map([...wantedRecent(config)].map(([kind, max]) => [kind, new RecentItems(user, max)]))
    this.everybody = new Tallies(new EntityTable('everybody', 1, tracksChanges))
  }

  /** To be called once all features have asked for their cells. */
  begin(): void {
    this.everybody.table.insert(1, 0)
  }

  /** Events of the subject's user so far, as last looked at. */
  userEvents(): number {
    return this.#eventsOf(USER)
  }

  itemEvents(): number {
    return this.#eventsOf(ITEM)
  }

  observe(event: TimedEvent): void {
    if (event.kind === 'score-request') return
    if ('attributes' in event) this.#replaceProfile(event)
    else this.#count(event)
    this.entities.forget()
  }

  /** In a fixed order, by names that no two share. */
  get tables(): EntityTable[] {
    return [...this.entities.tables, this.everybody.table]
  }

  hasAttribute(item: Id, attribute: string, value: string): boolean {
    const row = this.#rowOf('item', item)
    if (row < 0) return false
    this.#hasher.text(value)
    return this.profiles[ITEM].has(row, attribute, this.#hasher.lo, this.#hasher.hi)
  }

  /** undefined: the profile lacks it. */
  profileNumber(side: 'user' | 'item', id: Id, name: string): number | undefined {
    const row = this.#rowOf(side, id)
    return row < 0 ? undefined : this.profiles[SIDES[side]].numberOf(row, name)
  }

  /** What tells the values of an attribute apart. */
  profileValues(side: 'user' | 'item', id: Id, name: string): number[] {
    const row = this.#rowOf(side, id)
    return row < 0 ? [] : this.profiles[SIDES[side]].valuesOf(row, name)
  }

  user(user: Id): KnownUser | undefined {
    this.#hasher.text(user)
    const table = this.entities.tables[USER]!
    const row = table.find(this.#hasher.lo, this.#hasher.hi)
    if (row < 0) return undefined
    const events = table.numbers[row * table.numberWidth + this.#events[USER]]!
    return { events, numbers: this.profiles[USER].numbersOf(row) }
  }

  #rowOf(side: 'user' | 'item', id: Id): number {
    this.#hasher.text(id)
    return this.entities.tables[SIDES[side]]!.find(this.#hasher.lo, this.#hasher.hi)
  }

  #eventsOf(side: typeof USER | typeof ITEM): number {
    const row = this.entities.rows[side]!
    const table = this.entities.tables[side]!
    return row < 0 ? 0 : table.numbers[row * table.numberWidth + this.#events[side]]!
  }

  #count(event: Impression | Positive): void {
    const { entities } = this
    const kind = KINDS.indexOf(event.kind)
    const value = event.kind === 'impression' ? 1 : event.value
    const nowMs = event.eventTimeMs
    entities.look(event.user, event.item)
    for (let index = 0; index < entities.tables.length; index++) {
      const tallies = entities.tallies[index]!
      if (index > ITEM && !tallies.wants(kind)) continue
      const row = entities.row(index)
      if (row < 0) continue
      entities.tables[index]!.changing(row)
      if (tallies.wants(kind)) tallies.add(kind, row, nowMs, value)
    }
    this.#countEvent(USER)
    this.#countEvent(ITEM)
    this.recent.get(event.kind)?.push(entities.rows[USER]!, entities.los[ITEM]!, entities.his[ITEM]!)
    if (!this.everybody.wants(kind)) return
    this.everybody.table.changing(0)
    this.everybody.add(kind, 0, nowMs, value)
  }

  #countEvent(side: typeof USER | typeof ITEM): void {
    const table = this.entities.tables[side]!
    const cell = this.entities.rows[side]! * table.numberWidth + this.#events[side]
    table.numbers[cell] = table.numbers[cell]! + 1
  }

  #replaceProfile(event: Profile): void {
    const side = event.kind === 'user' ? USER : ITEM
    if (this.profiles[side].unused) return
    this.#hasher.text(event.id)
    const table = this.entities.tables[side]!
    const row = table.insert(this.#hasher.lo, this.#hasher.hi)
    table.changing(row)
    this.profiles[side].write(row, event)
  }
}

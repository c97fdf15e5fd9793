/**
 * Features of an impression (or a positive without one, or a candidate) as of its arrival. Owns the keyed state:
 * counters, recency, recent items and profiles, each bounded by `maxEntities`.
 *
 * Call order, for each event of the log: extract() of the example that it begins, if it begins one, then observe().
 * extract() reads what earlier events left, so nothing later can leak; it changes only the running mean and deviation
 * (if learnScale), after they were used, and which rows count as used.
 */
import { profileNeeds } from '../config/label-source.js'
import type { Config, TaskConfig } from '../config/schema.js'
import { MillraceError } from '../domain/errors.js'
import type { Id, TimedEvent } from '../domain/event.js'
import { experienceBand } from '../domain/experience.js'
import type { LoadedState, NamedPart, PartState, SnapshotKind, StateArray, Stateful } from '../domain/state.js'
import type { Hasher } from '../std/hash.js'
import { checkFeatures } from './check.js'
import {
  type ExampleColumns,
  FLAG_COLD_ITEM,
  FLAG_COLD_USER,
  ITEM_BAND_SHIFT,
  SLAB_ROWS,
  USER_BAND_SHIFT,
} from './columns.js'
import { DenseInputs } from './dense.kernel.js'
import { EmbeddingInputs } from './embeddings.kernel.js'
import { KeyedState, type KnownUser } from './keyed-state.kernel.js'
import { type FeatureLayout, layoutFeatures, type SlotLayout, slotsOf } from './layout.js'
import { valueOfText } from './profiles.kernel.js'
import { createWriteSlot, type WriteSlot } from './slots.kernel.js'
import type { FeatureSubject } from './subject.js'

export type { FeatureSubject } from './subject.js'

/** Name of the running means and deviations among the tables. */
const SCALE = 'scale'

export interface FeatureStats {
  tables: { name: string; entities: number; evicted: number; bytes: number }[]
}

export class FeatureExtractor implements Stateful {
  readonly layout: FeatureLayout
  readonly #state: KeyedState
  readonly #hasher: Hasher
  readonly #dense: DenseInputs
  readonly #embeddings: EmbeddingInputs
  readonly #writeSlots: readonly WriteSlot[]
  readonly #coldBelow: number

  /** fast: whether the fast part reads the columns too. tracksChanges: deltas are published, or followed. tasks: labels may need profiles. */
  constructor(
    config: Config['features'],
    hasher: Hasher,
    fast = false,
    tracksChanges = false,
    tasks: readonly TaskConfig[] = [],
  ) {
    const [fault] = checkFeatures(config)
    if (fault !== undefined) {
      throw new MillraceError('CONFIG_INVALID', `features.${fault.path.join('.')}: ${fault.message}`)
    }
    this.layout = layoutFeatures(config, fast)
    this.#coldBelow = config.coldBelow
    this.#hasher = hasher
    this.#state = new KeyedState(config, hasher, tracksChanges, profileNeeds(tasks))
    this.#dense = new DenseInputs(config.numeric, this.#state)
    this.#embeddings = new EmbeddingInputs(config.embeddings, this.#state)
    this.#state.begin()
    const declared = new Map<string, SlotLayout>()
    const slots = slotsOf(config, fast)
    this.#writeSlots = this.layout.slots.map((layout, index) => {
      const slot = slots[index]
      if (slot === undefined) throw new RangeError('the layout has more slots than the configuration')
      const write = createWriteSlot(slot, layout, {
        hasher,
        declared,
        entities: this.#state.entities,
        profiles: this.#state.profiles,
        recent: this.#state.recent,
        numbers: this.#dense.numbers,
        numberIndex: name => config.numeric.findIndex(numeric => numeric.name === name),
      })
      declared.set(layout.name, layout)
      return write
    })
  }

  /**
   * Writes keys, dense values and flags of the subject as of now into the row (already zeroed).
   * learnScale: let this subject move the running mean and deviation of the numeric features (examples yes, score
   * requests no).
   */
  extract(subject: FeatureSubject, columns: ExampleColumns, row: number, learnScale: boolean): void {
    const slab = columns.slab(row)
    const at = row % SLAB_ROWS
    this.#state.entities.look(subject.user, subject.item)
    // Before the slots: buckets are cut from the numbers.
    const firstInput = at * this.layout.dense.length
    this.#dense.write(subject, slab.dense, firstInput, learnScale)
    this.#embeddings.write(slab.dense, firstInput + this.#dense.width)
    const firstWord = at * this.layout.keyPlaces * 2
    for (const write of this.#writeSlots) write(subject, slab.keys, firstWord)
    const users = this.#state.userEvents()
    const items = this.#state.itemEvents()
    slab.flags[at] =
      (users < this.#coldBelow ? FLAG_COLD_USER : 0) |
      (items < this.#coldBelow ? FLAG_COLD_ITEM : 0) |
      (experienceBand(users) << USER_BAND_SHIFT) |
      (experienceBand(items) << ITEM_BAND_SHIFT)
  }

  /** What the event changes for later ones: counters, recency, recent items, profiles. After extract() of the same event. */
  observe(event: TimedEvent): void {
    this.#state.observe(event)
  }

  /**
   * Forgets a user: counters, recent items and profile, and counters of pairs with the user. What many share stays: tallies of items
   * and attributes, means and deviations. Returns how many rows went, by table.
   */
  erase(user: Id): Record<string, number> {
    return this.#state.entities.erase(user)
  }

  /** What features are made of: a part for each kind of entity, and the running means and deviations. */
  publish(kind: SnapshotKind): NamedPart[] {
    const scale = this.#dense.scaler.saveState()
    const stats = (scale.arrays.stats as Float64Array).slice()
    const state = { meta: scale.meta, arrays: { stats } }
    return [
      ...this.#state.tables.map((table): NamedPart => [table.name, table.publish(kind)]),
      [SCALE, { form: 'whole', encoding: 'cells', state, rows: 0, changed: 0, removed: 0 }],
    ]
  }

  /** For an extractor that follows a published one: brings a part to the next version, in slices. Returns its checksum; undefined: of its bytes. */
  *apply(name: string, kind: SnapshotKind, state: LoadedState): Generator<void, string | undefined> {
    this.#state.entities.forget()
    if (name === SCALE) {
      this.#dense.scaler.loadState(state)
      return undefined
    }
    const table = this.#state.tables.find(table => table.name === name)
    if (table === undefined)
      throw new MillraceError('SNAPSHOT_CORRUPT', `the configuration has no features by '${name}'`)
    return yield* table.apply(kind, state)
  }

  /** Whether one of the values of an item's attribute is this one; false also where nothing is known of the item. */
  itemHas(item: Id, attribute: string, value: string): boolean {
    return this.#state.hasAttribute(item, attribute, value)
  }

  /** What tells the values of an item's attribute apart; empty where it has none. */
  itemValues(item: Id, attribute: string): number[] {
    return this.#state.profileValues('item', item, attribute)
  }

  /** A number of an item's profile; undefined: it has none. */
  itemNumber(item: Id, name: string): number | undefined {
    return this.#state.profileNumber('item', item, name)
  }

  /** What labels ask of profiles, as of now: a number, or what tells the values of an attribute apart. */
  number(side: 'user' | 'item', id: Id, name: string): number | undefined {
    return this.#state.profileNumber(side, id, name)
  }

  values(side: 'user' | 'item', id: Id, name: string): number[] {
    return this.#state.profileValues(side, id, name)
  }

  /** What tells a text from others, among values(). */
  valueOf(text: string): number {
    return valueOfText(this.#hasher, text)
  }

  /** Attributes of items that the configuration uses: by these itemHas() can tell. */
  get itemAttributes(): string[] {
    return this.#state.profiles[1].names
  }

  /** The same of numbers. */
  get itemNumbers(): string[] {
    return this.#state.profiles[1].numberNames
  }

  /** What is kept of a user; undefined: nothing. */
  user(user: Id): KnownUser | undefined {
    return this.#state.user(user)
  }

  stats(): FeatureStats {
    const tables = this.#state.entities.tables.map(({ name, size, evicted, bytes }) => ({
      name,
      entities: size,
      evicted,
      bytes,
    }))
    return { tables }
  }

  saveState(): PartState {
    const parts = this.#parts().map(([name, part]) => [name, part.saveState()] as const)
    return {
      meta: Object.fromEntries(parts.map(([name, { meta }]) => [name, meta])),
      arrays: Object.fromEntries(
        parts.flatMap(([name, { arrays }]) =>
          Object.entries(arrays).map(([array, content]) => [`${name}/${array}`, content]),
        ),
      ),
    }
  }

  loadState(state: LoadedState): void {
    const { meta } = state
    const metas = meta !== null && typeof meta === 'object' && !Array.isArray(meta) ? meta : {}
    for (const [name, part] of this.#parts()) {
      const arrays: Record<string, StateArray> = {}
      for (const [array, content] of Object.entries(state.arrays)) {
        if (array.startsWith(`${name}/`)) arrays[array.slice(name.length + 1)] = content
      }
      part.loadState({ meta: metas[name] ?? null, arrays })
    }
    this.#state.entities.forget()
  }

  /** In a fixed order, by names that no two share. */
  #parts(): [name: string, part: Stateful][] {
    return [...this.#state.tables.map((table): [string, Stateful] => [table.name, table]), [SCALE, this.#dense.scaler]]
  }
}

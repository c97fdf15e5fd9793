import { type ConfigInput, configSchema } from '../../src/config/schema.js'
import type { Impression, Positive, Profile, TimedEvent } from '../../src/domain/event.js'
import type { LoadedState, PartState, StateArray } from '../../src/domain/state.js'
import {
  ExampleColumns,
  FLAG_COLD_ITEM,
  FLAG_COLD_USER,
  ITEM_BAND_SHIFT,
  SLAB_ROWS,
  USER_BAND_SHIFT,
} from '../../src/features/columns.js'
import { FeatureExtractor, type FeatureSubject } from '../../src/features/extract.js'
import { hashValue } from '../../src/features/slots.kernel.js'
import { Hasher } from '../../src/std/hash.js'

export const HOUR = 3_600_000
export const DAY = 24 * HOUR
/** A Monday, 00:00 UTC. */
export const MONDAY = Date.UTC(2024, 0, 1)

export function parseFeatures(features: ConfigInput['features']) {
  return configSchema.shape.features.parse(features)
}

export interface Extracted {
  /** Keys of each slot's values, empty places left out. */
  keys: Record<string, string[]>
  dense: Record<string, number>
  cold: string[]
  /** Bands of experience, see domain/experience.ts. */
  bands: { user: number; item: number }
}

/** An extractor whose columns can be read by name. */
export async function featuresOf(features: ConfigInput['features']) {
  const hasher = new Hasher()
  const extractor = new FeatureExtractor(parseFeatures(features), hasher)
  const { layout } = extractor
  const columns = new ExampleColumns(
    { keyPlaces: layout.keyPlaces, dense: layout.dense.length, tasks: 1, notes: 0 },
    () => undefined,
  )

  function read(row: number): Extracted {
    const slab = columns.slab(row)
    const at = row % SLAB_ROWS
    const keys = layout.slots.map(slot => {
      const first = (at * layout.keyPlaces + slot.firstPlace) * 2
      const found: string[] = []
      for (let place = first; place < first + slot.places * 2; place += 2) {
        const [lo, hi] = [slab.keys[place]!, slab.keys[place + 1]!]
        if ((lo | hi) !== 0) found.push(`${hi}:${lo}`)
      }
      return [slot.name, found] as const
    })
    const dense = layout.dense.map((name, input) => [name, slab.dense[at * layout.dense.length + input]!] as const)
    const flags = slab.flags[at]!
    return {
      keys: Object.fromEntries(keys),
      dense: Object.fromEntries(dense),
      cold: [...(flags & FLAG_COLD_USER ? ['user'] : []), ...(flags & FLAG_COLD_ITEM ? ['item'] : [])],
      bands: { user: (flags >> USER_BAND_SHIFT) & 7, item: (flags >> ITEM_BAND_SHIFT) & 7 },
    }
  }

  return {
    extractor,
    columns,
    read,
    extract(of: FeatureSubject, learnScale = true): Extracted {
      const row = columns.allocate()
      extractor.extract(of, columns, row, learnScale)
      return read(row)
    },
    observe(...events: TimedEvent[]): void {
      for (const event of events) extractor.observe(event)
    },
    /** The key of a value in a table, as the embedding table will see it. */
    key(table: string, value: string): string {
      hashValue(hasher, table, value)
      return `${hasher.hi}:${hasher.lo}`
    },
  }
}

export function subject(of: Partial<FeatureSubject> = {}): FeatureSubject {
  return { user: 'ann', item: 'tea', eventTimeMs: MONDAY, requestId: null, position: null, context: null, ...of }
}

export function impression(of: Partial<Impression> = {}): Impression {
  return { kind: 'impression', eventId: 'e', ...subject(), ...of }
}

export function positive(kind: Positive['kind'], of: Partial<Positive> = {}): Positive {
  const { user, item, eventTimeMs, requestId, context } = subject()
  return { kind, eventId: 'e', user, item, eventTimeMs, requestId, context, value: 1, ...of }
}

export function profile(kind: Profile['kind'], id: string, of: Partial<Profile> = {}): Profile {
  return { kind, eventId: 'e', eventTimeMs: MONDAY, id, attributes: {}, numbers: {}, embedding: null, ...of }
}

/** As read back from a checkpoint: copied, one array a name. */
export function reload(state: PartState): LoadedState {
  const arrays = Object.entries(state.arrays).map(([name, content]) => {
    const slabs: StateArray[] = Array.isArray(content) ? content : [content]
    const type = (slabs[0]?.constructor ?? Uint32Array) as new (length: number) => StateArray
    const whole = new type(slabs.reduce((sum, slab) => sum + slab.length, 0))
    let at = 0
    for (const slab of slabs) {
      whole.set(slab as never, at)
      at += slab.length
    }
    return [name, whole] as const
  })
  return { meta: JSON.parse(JSON.stringify(state.meta)), arrays: Object.fromEntries(arrays) }
}

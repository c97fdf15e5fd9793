/**
 * Rows in order of time → records of the log. A profile is written before the first event of its id, and again whenever
 * a row shows it changed; so the log can be read from its start without any other table.
 *
 * Item profiles go to partition 0 whoever the user: readers merge partitions by event time with ties by partition index,
 * so no event overtakes the profile of its item. Memory: one number for each user and item.
 */
import type { EventKind } from '../domain/event.js'
import type { LogRecords, LogWriter } from '../sink/sink.js'
import { partitionOf } from '../std/murmur2.js'
import type { MappedKind, Mapping } from './mapping.js'
import type { TimedRow } from './sort.js'
import { parseAttribute, parseNumber, parseVector } from './values.js'

export class BadRow extends Error {}

type ProfileMapping = NonNullable<Mapping['profiles']['user']>
type ItemMapping = NonNullable<Mapping['profiles']['item']>

export interface EmitterDeps {
  mapping: Mapping
  writer: LogWriter
  /** Index of a column in the rows' fields. */
  indexOf: ReadonlyMap<string, number>
}

export class Emitter {
  readonly byKind: Record<EventKind, number> = {
    impression: 0,
    click: 0,
    buy: 0,
    rating: 0,
    item: 0,
    user: 0,
    'score-request': 0,
    erase: 0,
  }
  /** Rows whose kind the mapping drops. */
  dropped = 0
  readonly #deps: EmitterDeps
  readonly #missing: ReadonlySet<string>
  readonly #users = new Map<string, number>()
  readonly #items = new Map<string, number>()

  constructor(deps: EmitterDeps) {
    this.#deps = deps
    this.#missing = new Set(deps.mapping.missing)
  }

  get users(): number {
    return this.#users.size
  }

  get items(): number {
    return this.#items.size
  }

  /** Throws BadRow, and then has written nothing of the row. */
  emit(row: TimedRow): void {
    const { mapping, writer } = this.#deps
    const kind = this.#kindOf(row)
    if (kind === 'drop') {
      this.dropped++
      return
    }
    const { fields } = mapping
    const user = this.#required(row, fields.user)
    const item = this.#required(row, fields.item)
    const eventTime = row.timeMs
    const eventId =
      (fields.eventId && this.#text(row, fields.eventId)) || `${row.line}-${contentHash(row.fields).toString(36)}`
    const requestId = (fields.requestId && this.#text(row, fields.requestId)) || null
    const interaction = { eventId, eventTime, user, item, requestId, context: this.#context(row) }
    // Everything that can fail comes before the first write.
    const value = this.#number(row, fields.value)
    if (kind === 'rating' && value === undefined) throw new BadRow(`${fields.value}: a rating needs a value`)
    const position = kind === 'impression' ? this.#position(row) : null
    const { user: userMapping, item: itemMapping } = mapping.profiles
    const userSignature = this.#signature(row, userMapping)
    const itemSignature = this.#signature(row, itemMapping)
    const stamp = (suffix: string, id: string) => ({ eventId: `${eventId}-${suffix}`, eventTime, id })
    const userRecord =
      userMapping !== undefined && this.#users.get(user) !== userSignature
        ? { ...stamp('u', user), ...this.#profile(row, userMapping) }
        : undefined
    const itemRecord =
      itemMapping !== undefined && this.#items.get(item) !== itemSignature
        ? { ...stamp('i', item), ...this.#profile(row, itemMapping), ...this.#itemFields(row, itemMapping) }
        : undefined

    const partition = partitionOf(user, mapping.partitions)
    if (itemRecord !== undefined) this.#write(0, 'item', itemRecord)
    if (userRecord !== undefined) this.#write(partition, 'user', userRecord)
    this.#users.set(user, userSignature)
    this.#items.set(item, itemSignature)
    if (kind === 'impression') writer.write(partition, kind, { ...interaction, position })
    else if (kind === 'click') writer.write(partition, kind, interaction)
    else writer.write(partition, kind, { ...interaction, value: value ?? 1 })
    this.byKind[kind]++
  }

  #write<K extends 'item' | 'user'>(partition: number, kind: K, record: LogRecords[K]): void {
    this.#deps.writer.write(partition, kind, record)
    this.byKind[kind]++
  }

  #kindOf(row: TimedRow): MappedKind | 'drop' {
    const { event } = this.#deps.mapping
    if (typeof event === 'string') return event
    const text = this.#text(row, event.column)
    const kind = Object.hasOwn(event.values, text) ? event.values[text] : undefined
    if (kind !== undefined) return kind
    if (event.otherwise === 'drop') return 'drop'
    throw new BadRow(
      `${event.column}: '${text}' is not among the mapped values (${Object.keys(event.values).join(', ')})`,
    )
  }

  #text(row: TimedRow, column: string): string {
    const text = row.fields[this.#deps.indexOf.get(column) ?? -1] ?? ''
    return this.#missing.has(text) ? '' : text
  }

  #required(row: TimedRow, column: string): string {
    const text = this.#text(row, column).trim()
    if (text === '') throw new BadRow(`${column}: is empty`)
    return text
  }

  /** An empty field is no number, which is fine; anything else must be one. */
  #number(row: TimedRow, column: string | undefined): number | undefined {
    const text = column === undefined ? '' : this.#text(row, column).trim()
    if (text === '') return undefined
    const value = parseNumber(text)
    if (value === undefined) throw new BadRow(`${column}: '${text}' is not a number`)
    return value
  }

  #position(row: TimedRow): number | null {
    const position = this.#number(row, this.#deps.mapping.fields.position)
    if (position === undefined) return null
    if (!Number.isInteger(position) || position < 1 || position > 0x7fffffff)
      throw new BadRow(`${this.#deps.mapping.fields.position}: ${position} is not a position (1 = first)`)
    return position
  }

  #context(row: TimedRow): Record<string, string> | null {
    const context: Record<string, string> = {}
    for (const [name, column] of Object.entries(this.#deps.mapping.context)) {
      const text = this.#text(row, column)
      if (text !== '') context[name] = text
    }
    return Object.keys(context).length === 0 ? null : context
  }

  /** A number that changes with what the row says of the profile. */
  #signature(row: TimedRow, mapping: ProfileMapping | ItemMapping | undefined): number {
    const parts: string[] = []
    for (const part of Object.values(mapping ?? {})) {
      if (typeof part === 'string') parts.push(this.#text(row, part))
      else
        for (const value of Object.values(part ?? {}))
          parts.push(this.#text(row, typeof value === 'string' ? value : value.column))
    }
    return contentHash(parts)
  }

  #profile(
    row: TimedRow,
    mapping: ProfileMapping,
  ): Pick<LogRecords['user'], 'attributes' | 'numbers' | 'embedding' | 'embeddings'> {
    const attributes: Record<string, string[]> = {}
    for (const [name, attribute] of Object.entries(mapping.attributes)) {
      const text = this.#text(row, attribute.column)
      const values = parseAttribute(text, attribute)
      if (values === undefined) throw new BadRow(`${attribute.column}: '${text}' has no band: not a number`)
      if (values.length > 0) attributes[name] = values
    }
    const numbers: Record<string, number> = {}
    for (const [name, column] of Object.entries(mapping.numbers)) {
      const value = this.#number(row, column)
      if (value !== undefined) numbers[name] = value
    }
    const embeddings: Record<string, number[]> = {}
    for (const [name, column] of Object.entries(mapping.embeddings)) {
      const vector = this.#vector(row, column)
      if (vector !== null) embeddings[name] = vector
    }
    return { attributes, numbers, embedding: this.#vector(row, mapping.embedding), embeddings }
  }

  #vector(row: TimedRow, column: string | undefined): number[] | null {
    const text = column === undefined ? '' : this.#text(row, column).trim()
    if (text === '') return null
    const vector = parseVector(text)
    if (vector === undefined) throw new BadRow(`${column}: '${text.slice(0, 40)}' is not a list of numbers`)
    return vector
  }

  #itemFields(row: TimedRow, mapping: ItemMapping): Partial<LogRecords['item']> {
    const text = (column: string | undefined) => (column === undefined ? null : this.#text(row, column) || null)
    return {
      title: text(mapping.title),
      text: text(mapping.text),
      category: text(mapping.category),
      brand: text(mapping.brand),
      price: this.#number(row, mapping.price) ?? null,
    }
  }
}

/** 53 bits of a hash of the texts' code units (cyrb53); its bytes are part of generated event ids, so it stays as it is. */
function contentHash(texts: readonly string[]): number {
  let a = 0xdeadbeef
  let b = 0x41c6ce57
  for (const text of texts) {
    for (let at = 0; at <= text.length; at++) {
      // One step past the end stands for the border between two texts.
      const unit = at < text.length ? text.charCodeAt(at) : 0x1ffff
      a = Math.imul(a ^ unit, 2654435761)
      b = Math.imul(b ^ unit, 1597334677)
    }
  }
  a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909)
  b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909)
  return 4294967296 * (2097151 & b) + (a >>> 0)
}

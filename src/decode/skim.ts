/**
 * Walks an Avro datum by its writer's schema without building anything: finds where it ends and checks every length
 * against the bytes that are there. It runs before avsc decodes, because avsc trusts counts (a damaged one makes it loop
 * or allocate without bound) and because records that we can not use must still be stepped over.
 */
import type avro from 'avsc'

/** What of avsc's types is looked at; its own typings leave most of it out. */
interface TypeShape {
  typeName: string
  fields?: readonly { type: avro.Type }[]
  types?: readonly avro.Type[]
  itemsType?: avro.Type
  valuesType?: avro.Type
  size?: number
}

/** Moves the cursor behind the datum; false if it does not fit. */
export type Skim = (cursor: SkimCursor) => boolean

/** Items without bytes (nulls, empty records) are bounded by this instead of by the bytes that are left. */
const MAX_EMPTY_ITEMS = 65_536

export class SkimCursor {
  buffer: Uint8Array = new Uint8Array(0)
  position = 0
  limit = 0

  /** A varint; NaN if it is cut off or longer than a long. Exact up to 2^53, which covers counts and lengths. */
  long(): number {
    let value = 0
    let factor = 1
    for (let count = 0; count < 10; count++) {
      if (this.position >= this.limit) return Number.NaN
      const byte = this.buffer[this.position++] ?? 0
      value += (byte & 127) * factor
      if (byte < 128) return value % 2 === 0 ? value / 2 : -(value + 1) / 2
      factor *= 128
    }
    return Number.NaN
  }

  skip(bytes: number): boolean {
    this.position += bytes
    return bytes >= 0 && this.position <= this.limit
  }
}

const skimLong: Skim = cursor => {
  const { buffer, limit } = cursor
  const last = Math.min(limit, cursor.position + 10)
  while (cursor.position < last) if ((buffer[cursor.position++] ?? 0) < 128) return true
  return false
}
const skimBytes: Skim = cursor => cursor.skip(cursor.long())

/** A skim of the datums of a type. `known` holds what is being built, for recursive schemas. */
export function createSkim(type: avro.Type, known = new Map<avro.Type, { skim: Skim }>()): Skim {
  const shape = type as unknown as TypeShape
  switch (shape.typeName) {
    case 'null':
      return () => true
    case 'boolean':
      return cursor => cursor.skip(1)
    case 'int':
    case 'long':
    case 'enum':
      return skimLong
    case 'float':
      return cursor => cursor.skip(4)
    case 'double':
      return cursor => cursor.skip(8)
    case 'string':
    case 'bytes':
      return skimBytes
    case 'fixed': {
      const size = shape.size ?? 0
      return cursor => cursor.skip(size)
    }
    case 'array':
      return createItemsSkim(createSkim(shape.itemsType as avro.Type, known))
    case 'map': {
      const values = createSkim(shape.valuesType as avro.Type, known)
      return createItemsSkim(cursor => skimBytes(cursor) && values(cursor))
    }
    case 'record':
    case 'error':
      return createRecordSkim(type, shape.fields ?? [], known)
    default:
      return createUnionSkim((shape.types ?? []).map(branch => createSkim(branch, known)))
  }
}

function createRecordSkim(
  type: avro.Type,
  fields: readonly { type: avro.Type }[],
  known: Map<avro.Type, { skim: Skim }>,
): Skim {
  const seen = known.get(type)
  if (seen !== undefined) return cursor => seen.skim(cursor)
  const entry = { skim: (_: SkimCursor): boolean => false }
  known.set(type, entry)
  const skims = fields.map(field => createSkim(field.type, known))
  entry.skim = cursor => {
    for (const skim of skims) if (!skim(cursor)) return false
    return true
  }
  return entry.skim
}

function createUnionSkim(branches: readonly Skim[]): Skim {
  return cursor => {
    const branch = branches[cursor.long()]
    return branch?.(cursor) ?? false
  }
}

function createItemsSkim(item: Skim): Skim {
  return cursor => {
    let total = 0
    for (;;) {
      let count = cursor.long()
      if (count === 0) return true
      let blockEnd = -1
      if (count < 0) {
        count = -count
        blockEnd = cursor.long()
        blockEnd += cursor.position
      }
      total += count
      if (!(total <= Math.max(cursor.limit - cursor.position + total - count, MAX_EMPTY_ITEMS))) return false
      for (; count > 0; count--) if (!item(cursor)) return false
      // A block's size is used to skip it and its count to read it: they have to agree.
      if (blockEnd !== -1 && cursor.position !== blockEnd) return false
    }
  }
}

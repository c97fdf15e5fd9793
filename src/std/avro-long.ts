/**
 * Avro longs (zigzag varints) at any size, as decimal text. JavaScript numbers carry them up to 2^53 only; ids must stay
 * exact beyond that. Also the avsc type that does so, for the places of a schema that hold ids.
 */
import avro from 'avsc'

const MIN_LONG = -(2n ** 63n)
const MAX_LONG = 2n ** 63n - 1n

/** The long whose varint fills `bytes`. */
export function longText(bytes: Uint8Array): string {
  if (bytes.length <= 4) {
    let value = 0
    for (let index = bytes.length - 1; index >= 0; index--) value = (value << 7) | ((bytes[index] ?? 0) & 0x7f)
    return String((value >>> 1) ^ -(value & 1))
  }
  let value = 0n
  for (let index = bytes.length - 1; index >= 0; index--) value = (value << 7n) | BigInt((bytes[index] ?? 0) & 0x7f)
  return String(BigInt.asIntN(64, (value >> 1n) ^ -(value & 1n)))
}

/** The varint of a long. */
export function longBytes(long: bigint): Buffer {
  let value = BigInt.asUintN(64, (long << 1n) ^ (long >> 63n))
  const bytes: number[] = []
  while (value > 127n) {
    bytes.push(Number(value & 127n) | 128)
    value >>= 7n
  }
  bytes.push(Number(value))
  return Buffer.from(bytes)
}

/** A long that is read as what `of` makes of its decimal text, and written from bigints. */
function longAs<T extends string | bigint>(of: (text: string) => T): avro.types.LongType {
  return avro.types.LongType.__with(
    {
      fromBuffer: (bytes: Uint8Array) => of(longText(bytes)),
      toBuffer: longBytes,
      fromJSON: (value: number | string) => of(String(value)),
      toJSON: (value: unknown) => String(value),
      isValid: (value: unknown) => typeof value === 'bigint' && value >= MIN_LONG && value <= MAX_LONG,
      compare: (a: T, b: T) => (a === b ? 0 : a < b ? -1 : 1),
    },
    true,
  )
}

/** Reads longs as decimal text. Strings are not valid, so that a union with string is not ambiguous. */
const ID_LONG = longAs(text => text)

/** Reads longs as bigints, so that they can be written as what they were. */
const KEPT_LONG = longAs(BigInt)

/** The avsc type of a schema in which every union ["string", "long"] is an id. */
export function idAwareType(schema: unknown): avro.Type {
  return typeWithIds(schema, ID_LONG)
}

/** The same, for copying: ids that are longs are bigints. */
export function idKeepingType(schema: unknown): avro.Type {
  return typeWithIds(schema, KEPT_LONG)
}

function typeWithIds(schema: unknown, long: avro.Type): avro.Type {
  return avro.Type.forSchema(schema as never, {
    typeHook: (inner: unknown) =>
      Array.isArray(inner) && inner.length === 2 && inner[0] === 'string' && inner[1] === 'long'
        ? avro.Type.forSchema(['string', long] as never)
        : undefined,
  })
}

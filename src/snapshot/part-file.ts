/**
 * The encoding of one part's state, used by checkpoints and snapshots alike: a JSON header (meta and the list of arrays
 * with type and length), padding to 8 bytes, then the arrays' little-endian bytes, each padded to 8. The same state gives
 * the same bytes. A SHA-256 over the whole file says whether it is complete.
 */
import { createHash } from 'node:crypto'
import { open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { MillraceError } from '../domain/errors.js'
import type { Json, LoadedState, PartState, StateArray } from '../domain/state.js'

const MAGIC = 'MILLRACE-PART-1\n'
const TYPES = {
  f32: Float32Array,
  f64: Float64Array,
  i32: Int32Array,
  u32: Uint32Array,
  u8: Uint8Array,
  u64: BigUint64Array,
}
type TypeName = keyof typeof TYPES

interface Header {
  meta: Json
  arrays: { name: string; type: TypeName; length: number }[]
}

const padded = (bytes: number) => Math.ceil(bytes / 8) * 8

function typeName(array: StateArray): TypeName {
  for (const [name, type] of Object.entries(TYPES)) if (array instanceof type) return name as TypeName
  throw new TypeError('a state array of an unknown type')
}

const bytesOf = (array: StateArray) => new Uint8Array(array.buffer, array.byteOffset, array.byteLength)

/** The pieces of the encoded part, in order; nothing is copied. */
export function* encodePart(state: PartState): Generator<Uint8Array> {
  const arrays = Object.entries(state.arrays).map(([name, value]) => ({
    name,
    slabs: Array.isArray(value) ? value : [value],
  }))
  const header: Header = {
    meta: state.meta,
    arrays: arrays.map(({ name, slabs }) => ({
      name,
      type: slabs[0] === undefined ? 'u8' : typeName(slabs[0]),
      length: slabs.reduce((sum, slab) => sum + slab.length, 0),
    })),
  }
  const text = Buffer.from(JSON.stringify(header))
  const head = Buffer.alloc(padded(MAGIC.length + 4 + text.length))
  head.write(MAGIC, 0, 'latin1')
  head.writeUInt32LE(text.length, MAGIC.length)
  text.copy(head, MAGIC.length + 4)
  yield head
  for (const { slabs } of arrays) {
    let bytes = 0
    for (const slab of slabs) {
      yield bytesOf(slab)
      bytes += slab.byteLength
    }
    if (bytes % 8 !== 0) yield new Uint8Array(8 - (bytes % 8))
  }
}

/** Reads what encodePart wrote; the arrays are views into `bytes` where alignment allows it, which it always does here. */
export function decodePart(bytes: Uint8Array): LoadedState {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (buffer.toString('latin1', 0, MAGIC.length) !== MAGIC)
    throw new MillraceError('CHECKPOINT_INCOMPATIBLE', 'this is not a part file of a version that this program reads')
  const length = buffer.readUInt32LE(MAGIC.length)
  const header = JSON.parse(buffer.toString('utf8', MAGIC.length + 4, MAGIC.length + 4 + length)) as Header
  let at = padded(MAGIC.length + 4 + length)
  const arrays: Record<string, StateArray> = {}
  for (const { name, type, length } of header.arrays) {
    const Type = TYPES[type]
    const size = length * Type.BYTES_PER_ELEMENT
    const start = bytes.byteOffset + at
    arrays[name] =
      start % 8 === 0
        ? new Type(bytes.buffer as ArrayBuffer, start, length)
        : new Type(bytes.slice(at, at + size).buffer, 0, length)
    at += padded(size)
  }
  return { meta: header.meta, arrays }
}

/** Writes NAME.part durably. */
export async function writePart(
  folder: string,
  name: string,
  state: PartState,
): Promise<{ name: string; bytes: number; sha256: string }> {
  const hash = createHash('sha256')
  let bytes = 0
  const file = await open(join(folder, `${name}.part`), 'w')
  try {
    for (const piece of encodePart(state)) {
      hash.update(piece)
      bytes += piece.byteLength
      await file.writev([piece])
    }
    await file.sync()
  } finally {
    await file.close()
  }
  return { name, bytes, sha256: hash.digest('hex') }
}

/** Reads NAME.part; CHECKPOINT_CORRUPT when it is not what was written. */
export async function readPart(
  folder: string,
  part: { name: string; bytes: number; sha256: string },
): Promise<LoadedState> {
  const path = join(folder, `${part.name}.part`)
  let bytes: Buffer
  try {
    bytes = await readFile(path)
  } catch (cause) {
    throw new MillraceError('CHECKPOINT_CORRUPT', `${path} can not be read`, { cause })
  }
  if (bytes.length !== part.bytes || createHash('sha256').update(bytes).digest('hex') !== part.sha256) {
    throw new MillraceError('CHECKPOINT_CORRUPT', `${path} is not the file that the manifest describes`)
  }
  return decodePart(bytes)
}

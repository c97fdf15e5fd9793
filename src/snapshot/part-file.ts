/**
 * The encoding of one part's state, used by checkpoints and snapshots alike: a JSON header (meta and the list of arrays
 * with type and length), padding to 8 bytes, then the arrays' little-endian bytes, each padded to 8. The same state gives
 * the same bytes. A SHA-256 over the whole file says whether it is complete.
 */
import { createHash } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import { MillraceError } from '../domain/errors.js'
import type { Json, LoadedState, PartState, StateArray } from '../domain/state.js'
import { diskFault } from './disk-fault.js'

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

/** A part's file, and how to know that it is whole. */
interface PartFile {
  name: string
  bytes: number
  sha256: string
}

const READ_BYTES = 1 << 20

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
    arrays: arrays.map(({ name, slabs }) => {
      if (slabs[0] === undefined) throw new TypeError(`the state array '${name}' is a list of no slabs: it has no type`)
      return { name, type: typeName(slabs[0]), length: slabs.reduce((sum, slab) => sum + slab.length, 0) }
    }),
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
  const text = (from: number, length: number) => Buffer.from(bytes.subarray(from, from + length))
  if (text(0, MAGIC.length).toString('latin1') !== MAGIC)
    throw new MillraceError('CHECKPOINT_INCOMPATIBLE', 'this is not a part file of a version that this program reads')
  const length = text(MAGIC.length, 4).readUInt32LE()
  const header = JSON.parse(text(MAGIC.length + 4, length).toString()) as Header
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

/** Writes NAME.part durably. DISK_FULL, OUTPUT_FAILED. */
export async function writePart(folder: string, name: string, state: PartState): Promise<PartFile> {
  const path = join(folder, `${name}.part`)
  const hash = createHash('sha256')
  let bytes = 0
  try {
    const file = await open(path, 'w')
    try {
      for (const piece of encodePart(state)) {
        hash.update(piece)
        bytes += piece.byteLength
        await writeFully(file, piece)
      }
      await file.sync()
    } finally {
      await file.close()
    }
  } catch (cause) {
    throw diskFault(cause, `${path} can not be written`)
  }
  return { name, bytes, sha256: hash.digest('hex') }
}

/** A single write may take less than it is given: 2 GB at most, and what is left of a disk that runs full. */
async function writeFully(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.byteLength; ) done += (await file.write(bytes, done)).bytesWritten
}

/** Reads NAME.part; CHECKPOINT_CORRUPT when it is not what was written. */
export async function readPart(folder: string, part: PartFile): Promise<LoadedState> {
  // Not readFile: it refuses 2 GB, and tables can be larger.
  const bytes = new Uint8Array(part.bytes)
  await scanPart(folder, part, (chunk, at) => bytes.set(chunk, at))
  return decodePart(bytes)
}

/** Throws what readPart would throw, in little memory. */
export function checkPart(folder: string, part: PartFile): Promise<void> {
  return scanPart(folder, part, () => {})
}

async function scanPart(folder: string, part: PartFile, take: (chunk: Uint8Array, at: number) => void): Promise<void> {
  const path = join(folder, `${part.name}.part`)
  const hash = createHash('sha256')
  let bytes = 0
  try {
    const file = await open(path)
    try {
      const chunk = new Uint8Array(Math.min(READ_BYTES, part.bytes + 1))
      for (;;) {
        const { bytesRead } = await file.read(chunk)
        // One byte too many is enough to know.
        if (bytesRead === 0 || bytes + bytesRead > part.bytes) {
          bytes += bytesRead
          break
        }
        const read = chunk.subarray(0, bytesRead)
        hash.update(read)
        take(read, bytes)
        bytes += bytesRead
      }
    } finally {
      await file.close()
    }
  } catch (cause) {
    throw new MillraceError('CHECKPOINT_CORRUPT', `${path} can not be read: ${(cause as Error).message}`, { cause })
  }
  if (bytes !== part.bytes || hash.digest('hex') !== part.sha256)
    throw new MillraceError('CHECKPOINT_CORRUPT', `${path} is not the file that the manifest describes`)
}

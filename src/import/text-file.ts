/** A text file as a stream of its bytes, gzip or not (by its first bytes, not by its name). */
import { closeSync, createReadStream, openSync, readSync, statSync } from 'node:fs'
import type { Readable, Transform } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { MillraceError } from '../domain/errors.js'

export interface TextFile {
  /** For a pipeline: the file, and what unpacks it. */
  stages: [Readable, ...Transform[]]
  /** How much of the file's bytes has been read, 0..1. */
  share(): number
  close(): void
}

/** IMPORT_INVALID: it can not be read. */
export function openTextFile(file: string): TextFile {
  try {
    const { size } = statSync(file)
    const stream = createReadStream(file, { highWaterMark: 262_144 })
    return {
      stages: [stream, ...(isGzip(file) ? [createGunzip()] : [])],
      share: () => (size === 0 ? 1 : stream.bytesRead / size),
      close: () => stream.destroy(),
    }
  } catch (cause) {
    throw new MillraceError('IMPORT_INVALID', `${file}: the file can not be read (${(cause as Error).message})`, {
      cause,
    })
  }
}

/** A fault at a line of a file; the first line is 1. */
export function invalidLine(file: string, line: number, message: string, cause?: unknown): MillraceError {
  return new MillraceError('IMPORT_INVALID', `${file}:${line}: ${message}`, { cause, details: { file, line } })
}

function isGzip(file: string): boolean {
  const head = Buffer.alloc(2)
  const descriptor = openSync(file, 'r')
  try {
    readSync(descriptor, head, 0, 2, 0)
  } finally {
    closeSync(descriptor)
  }
  return head[0] === 0x1f && head[1] === 0x8b
}

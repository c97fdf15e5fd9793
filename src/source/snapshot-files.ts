/**
 * The records of a snapshot output in a folder of Avro files, from its beginning on, while a learner writes it or later.
 * Order: segments by name, records as they stand. A segment is done when the next one is there. What can not be read is
 * left out; what is not complete at the end is waited for.
 *
 * A learner that starts again cuts its files back and writes on, or removes them: then reading begins anew.
 */
import { open, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import avro from 'avsc'
import type { SnapshotRecord } from '../sink/output-records.js'
import { readSchemaFile } from '../std/schema-file.js'
import { ContainerReader, decompress } from './container.js'

const SEGMENT = /^\d{20}\.avro$/

export interface SnapshotFileHandlers {
  /** The next record comes when it has resolved. */
  take(record: SnapshotRecord): Promise<void> | void
  /** All that was there has been handed on. */
  caughtUp(): Promise<void> | void
  /** The records come from the beginning again. */
  restarted(): void
}

type RecordReader = (bytes: Buffer, at: number) => { value: SnapshotRecord; offset: number }

interface Segment {
  name: string
  reader: ContainerReader
  inode: number
  /** Once the header was there; undefined then: it can not be read. */
  format: { read: RecordReader; codec: string } | 'unread' | undefined
  isFinal: boolean
}

/** By the schema that wrote records: what reads them as records of this version. */
export function createSnapshotReaders(): (writer: string) => RecordReader {
  const type = avro.Type.forSchema(readSchemaFile('snapshot') as never)
  const readers = new Map<string, RecordReader>()
  return writer => {
    const known = readers.get(writer)
    if (known !== undefined) return known
    const resolver = type.createResolver(avro.Type.forSchema(JSON.parse(writer)))
    const read: RecordReader = (bytes, at) => type.decode(bytes, at, resolver) as ReturnType<RecordReader>
    readers.set(writer, read)
    return read
  }
}

/** Resolves when `stop` is aborted. wait: between two looks at the files. */
export async function followSnapshotFiles(
  path: string,
  handlers: SnapshotFileHandlers,
  wait: () => Promise<unknown>,
  stop: AbortSignal,
): Promise<void> {
  const readerOf = createSnapshotReaders()
  let segment: Segment | undefined
  let done = ''
  let isCaughtUp = false
  try {
    while (!stop.aborted) {
      segment ??= await openNext(path, done)
      if (segment !== undefined && (await readOn(segment, readerOf, handlers, stop))) continue
      if (stop.aborted) return
      if (segment !== undefined && !segment.isFinal && (await namesBehind(path, segment.name)).length > 0) {
        // Read to its end once more: it is complete now.
        segment.isFinal = true
        continue
      }
      if (segment?.isFinal === true) {
        done = segment.name
        await segment.reader.close()
        segment = undefined
        continue
      }
      if (!isCaughtUp) await handlers.caughtUp()
      isCaughtUp = true
      if (segment !== undefined ? await isReplaced(path, segment) : done !== '' && !(await exists(join(path, done)))) {
        handlers.restarted()
        isCaughtUp = false
        done = ''
        await segment?.reader.close()
        segment = undefined
        continue
      }
      if (!stop.aborted) await wait()
    }
  } finally {
    await segment?.reader.close()
  }
}

/** Hands on what is there of the segment next; false: nothing, for now. */
async function readOn(
  segment: Segment,
  readerOf: (writer: string) => RecordReader,
  { take }: SnapshotFileHandlers,
  stop: AbortSignal,
): Promise<boolean> {
  if (segment.format === 'unread') {
    const header = await segment.reader.header(segment.isFinal)
    if (typeof header === 'string') return false
    segment.format = 'kind' in header ? undefined : { read: readerOf(header.schema), codec: header.codec }
  }
  if (segment.format === undefined) return false
  const stretch = await segment.reader.next(segment.isFinal)
  if (typeof stretch === 'string') return false
  const { read, codec } = segment.format
  const data = stretch.kind === 'block' ? await decompress(stretch.data, codec) : undefined
  if (stretch.kind !== 'block' || data === undefined) return true
  for (let left = stretch.count, at = 0; left > 0 && !stop.aborted; left--) {
    const record = recordAt(data, at, read)
    // Where the next one begins is not known either.
    if (record === undefined) break
    at = record.offset
    await take(record.value)
  }
  return true
}

/** undefined: damaged, or cut off. */
function recordAt(data: Buffer, at: number, read: RecordReader): ReturnType<RecordReader> | undefined {
  try {
    const record = read(data, at)
    return record.offset < 0 ? undefined : record
  } catch {
    return undefined
  }
}

async function openNext(path: string, behind: string): Promise<Segment | undefined> {
  const [name] = await namesBehind(path, behind)
  if (name === undefined) return undefined
  const handle = await open(join(path, name)).catch(() => undefined)
  if (handle === undefined) return undefined
  const { ino: inode } = await handle.stat()
  return { name, reader: new ContainerReader(join(path, name), handle, 0), inode, format: 'unread', isFinal: false }
}

async function namesBehind(path: string, name: string): Promise<string[]> {
  const names = await readdir(path).catch(() => [])
  return names.filter(one => SEGMENT.test(one) && one > name).sort()
}

async function isReplaced(path: string, { name, inode, reader }: Segment): Promise<boolean> {
  const now = await stat(join(path, name)).catch(() => undefined)
  return now === undefined || now.ino !== inode || now.size < reader.position
}

const exists = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  )

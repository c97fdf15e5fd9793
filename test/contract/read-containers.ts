/** Reads container files with avsc's own reader: a second opinion on what we write. */
import { createReadStream } from 'node:fs'
import avro from 'avsc'
import { uncompressSync } from 'snappy'

export async function readContainers(files: readonly string[]): Promise<unknown[]> {
  const records: unknown[] = []
  for (const file of files) {
    const codecs = {
      snappy: (data: Buffer, done: (error: Error | null, plain?: Buffer) => void) =>
        done(null, uncompressSync(data.subarray(0, -4)) as Buffer),
    }
    const decoder = new avro.streams.BlockDecoder({
      codecs: { ...avro.streams.BlockDecoder.defaultCodecs(), ...codecs },
    })
    for await (const record of createReadStream(file).pipe(decoder)) records.push(plain(record))
  }
  return records
}

/** Without the classes that avsc gives to records. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]))
}

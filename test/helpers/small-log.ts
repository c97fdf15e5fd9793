/** A log of a few events in one partition, written as any Avro writer would; and an output read back. */
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import avro from 'avsc'
import { packageRoot } from '../../src/std/package-root.js'

type Fields = Record<string, unknown> & { eventId: string; eventTime: number }

const KINDS = ['impression', 'click', 'buy', 'rating'] as const

/** events: ['click', { eventId, eventTime, user, item }], in the order of the log. */
export async function writeSmallLog(
  folder: string,
  events: readonly [(typeof KINDS)[number], Fields][],
): Promise<void> {
  const schemas = KINDS.map(kind => JSON.parse(readFileSync(join(packageRoot(), 'schemas', `${kind}.avsc`), 'utf8')))
  mkdirSync(join(folder, 'p00'), { recursive: true })
  const encoder = avro.createFileEncoder(join(folder, 'p00', '00000000000000000000.avro'), schemas as never)
  for (const [kind, fields] of events) {
    const name = `${kind.charAt(0).toUpperCase()}${kind.slice(1)}`
    encoder.write({ [`millrace.event.${name}`]: fields })
  }
  await new Promise(resolve => encoder.end(resolve))
}

/** The records of an output, of all its segments. */
export async function readOutput<T>(folder: string): Promise<T[]> {
  const records: T[] = []
  for (const name of readdirSync(folder).sort()) {
    for await (const record of avro.createFileDecoder(join(folder, name))) records.push(record as T)
  }
  return records
}

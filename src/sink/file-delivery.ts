/**
 * Delivery to files: commit() writes all outputs as they are when it is called, the journal first, and makes them durable:
 * whatever anybody sees of an output, the journal explains. Offsets are not kept here:
 * the checkpoint has them, and going back to it cuts the outputs back to it.
 */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import avro from 'avsc'
import { isSegmentFile, uncompressBlock } from './container.js'
import { type Delivery, OUTPUT_NAMES, type Outputs } from './delivery.js'
import type { JournalRecord } from './output-records.js'

/** journalFolder: where an earlier run's journal lies; undefined: nowhere. */
export function createFileDelivery(outputs: Outputs, journalFolder: string | undefined): Delivery {
  let flushing: Promise<void> = Promise.resolve()
  return {
    outputs,

    async recover(fromSeq) {
      const journal = journalFolder === undefined ? [] : await readJournalFiles(journalFolder, fromSeq)
      return { offsets: new Map(), journal }
    },

    commit() {
      for (const name of OUTPUT_NAMES) flushing = outputs[name].flush(flushing)
      return flushing
    },

    async close() {
      let failure: { error: unknown } | undefined
      for (const name of OUTPUT_NAMES) {
        try {
          await outputs[name].close()
        } catch (error) {
          failure ??= { error }
        }
      }
      if (failure !== undefined) throw failure.error
    },
  }
}

type StoredEntry = Omit<JournalRecord, 'consumed' | 'offset'> & {
  consumed: { partition: number; offset: number | string }[]
  offset?: number | string
}

/** An entry as it is stored (offsets are longs or text there, and every field is there), as the pipeline has it. */
export function entryOf({ consumed, partitions = [], offset = -1, ...rest }: StoredEntry): JournalRecord {
  return {
    ...rest,
    consumed: consumed.map(({ partition, offset }) => ({ partition, offset: BigInt(offset) })),
    ...(rest.kind === 'begin' ? { partitions } : {}),
    ...(rest.kind === 'unknown-schema' ? { offset: BigInt(offset) } : {}),
  }
}

/** As the outputs may have (outputs.codec). */
const codecs = { ...avro.streams.BlockDecoder.defaultCodecs(), snappy: uncompressBlock }

/** What the journal of an earlier run holds, in order, from this entry on. Its last block may be torn. */
export async function readJournalFiles(folder: string, fromSeq: number): Promise<JournalRecord[]> {
  const names = (await readdir(folder).catch(() => [])).filter(isSegmentFile).sort()
  // Segments are named by the number of their first entry.
  const start = names.findLastIndex(name => Number.parseInt(name, 10) <= fromSeq)
  const records: JournalRecord[] = []
  for (const name of names.slice(Math.max(start, 0))) {
    try {
      for await (const record of avro.createFileDecoder(join(folder, name), { codecs })) {
        const entry = entryOf(record as StoredEntry)
        if (entry.seq >= fromSeq) records.push(entry)
      }
    } catch {
      // A torn end is what a crash leaves: nothing that was published depends on it.
    }
  }
  return records
}

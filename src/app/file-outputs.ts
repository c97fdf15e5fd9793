/** The outputs as Avro logs below one folder, or as nothing. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import avro from 'avsc'
import type { Config } from '../config/schema.js'
import type { Outputs } from '../pipeline/outputs.js'
import { AvroFileSink } from '../sink/avro-file.js'
import { createDiscardSink } from '../sink/discard.js'
import { createPredictionRecord, type JournalRecord, journalRecord, payloadRecord } from '../sink/output-records.js'

export function createFileOutputs(folder: string, config: Config): Outputs {
  const { codec, segmentBytes } = config.outputs
  const common = { codec, segmentBytes }
  // Live, a journal entry must be on the disk before what it explains: one entry a block.
  const journalBlock = config.source.follow ? { blockRecords: 1 } : {}
  return {
    journal: new AvroFileSink({
      path: join(folder, 'journal'),
      schema: 'journal',
      toRecord: journalRecord,
      ...common,
      ...journalBlock,
    }),
    predictions: config.outputs.predictions
      ? new AvroFileSink({
          path: join(folder, 'predictions'),
          schema: 'prediction',
          toRecord: createPredictionRecord(config.tasks.map(task => task.name)),
          ...common,
        })
      : createDiscardSink(),
    recommendations: new AvroFileSink({ path: join(folder, 'recommendations'), schema: 'recommendation', ...common }),
    metrics: new AvroFileSink({ path: join(folder, 'metrics'), schema: 'metric', ...common }),
    snapshots: new AvroFileSink({
      path: join(folder, 'snapshots'),
      schema: 'snapshot',
      toRecord: payloadRecord,
      ...common,
    }),
    deadLetters: new AvroFileSink({
      path: join(folder, 'dead-letters'),
      schema: 'dead-letter',
      toRecord: payloadRecord,
      ...common,
    }),
  }
}

export function createDiscardOutputs(): Outputs {
  return {
    journal: createDiscardSink(),
    predictions: createDiscardSink(),
    recommendations: createDiscardSink(),
    metrics: createDiscardSink(),
    snapshots: createDiscardSink(),
    deadLetters: createDiscardSink(),
  }
}

/** What the journal of an earlier run holds, in order; its last block may be torn. */
export async function readJournal(folder: string): Promise<JournalRecord[]> {
  const journal = join(folder, 'journal')
  const records: JournalRecord[] = []
  for (const name of (await readdir(journal).catch(() => [])).sort()) {
    try {
      for await (const record of avro.createFileDecoder(join(journal, name))) {
        const { consumed, ...rest } = record as Omit<JournalRecord, 'consumed'> & {
          consumed: { partition: number; offset: number }[]
        }
        records.push({
          ...rest,
          consumed: consumed.map(({ partition, offset }) => ({ partition, offset: BigInt(offset) })),
        })
      }
    } catch {
      // A torn end is what a crash leaves: nothing that was published depends on it.
    }
  }
  return records
}

/** The outputs as Avro logs below one folder, or as nothing. */
import { mkdir, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Config } from '../config/schema.js'
import { predictionSchema, taskClasses } from '../config/task-classes.js'
import { AvroFileSink } from '../sink/avro-file.js'
import type { Outputs } from '../sink/delivery.js'
import { createDiscardSink } from '../sink/discard.js'
import { createPredictionRecord, journalRecord, payloadRecord, snapshotRecord } from '../sink/output-records.js'
import { diskFault } from '../snapshot/disk-fault.js'

/** live: others wait for every record, and only complete blocks are written: one record a block. */
export function createFileOutputs(folder: string, config: Config, live: boolean): Outputs {
  const { codec, segmentBytes } = config.outputs
  const common = { codec, segmentBytes, ...(live ? { blockRecords: 1 } : {}) }
  return {
    journal: new AvroFileSink({
      path: join(folder, 'journal'),
      schema: 'journal',
      toRecord: journalRecord,
      ...common,
    }),
    predictions: config.outputs.predictions
      ? new AvroFileSink({
          path: join(folder, 'predictions'),
          schema: predictionSchema(config.tasks),
          toRecord: createPredictionRecord(
            config.tasks.map(task => task.name),
            taskClasses(config.tasks),
          ),
          ...common,
        })
      : createDiscardSink(),
    recommendations: new AvroFileSink({ path: join(folder, 'recommendations'), schema: 'recommendation', ...common }),
    metrics: new AvroFileSink({ path: join(folder, 'metrics'), schema: 'metric', ...common }),
    snapshots: new AvroFileSink({
      path: join(folder, 'snapshots'),
      schema: 'snapshot',
      toRecord: snapshotRecord,
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

/** Makes the folder if need be. That nothing can be written there should be said before hours of learning, not after. */
export async function assertWritable(folder: string): Promise<void> {
  const probe = join(folder, '.writable')
  try {
    await mkdir(folder, { recursive: true })
    await (await open(probe, 'w')).close()
    await rm(probe)
  } catch (cause) {
    throw diskFault(cause, `${folder} is not a folder that can be written to`)
  }
}

/**
 * The records of the outputs, as callers append them; schemas/*.avsc describe the same for everybody else. Where the two
 * differ (bytes, bigints, typed arrays), the functions here turn one into the other. Ids are text in all outputs.
 */
import type { TaskClasses } from '../config/task-classes.js'
import type { Prediction } from '../domain/prediction.js'
import type { SnapshotKind } from '../domain/state.js'
import type { OriginalMessage } from '../source/source.js'

export interface RecommendationRecord {
  requestId: string
  eventTime: number
  user: string
  modelVersion: number
  items: { item: string; rankScore: number; values: Record<string, number> }[]
}

export interface MetricRecord {
  eventTime: number
  events: number
  step: number
  task: string
  window: 'window' | 'total' | 'alarm' | 'comparison' | 'promotion'
  split: string
  values: Record<string, number>
  counts: Record<string, number>
  /** Whose they are; null: of what answers. */
  challenger: string | null
}

/** A chunk or a manifest. */
export interface SnapshotRecord {
  version: number
  kind: SnapshotKind
  parent: number | null
  part: string
  chunk: number
  chunks: number
  payload: Uint8Array
  manifest: SnapshotManifest | null
}

export interface SnapshotManifest {
  configHash: string
  eventTime: number
  offsets: { partition: string; offset: string }[]
  metrics: Record<string, number>
  parts: ManifestPart[]
  parentChecksum: string | null
  checksum: string
}

export interface ManifestPart {
  name: string
  form: 'whole' | 'rows' | 'log'
  encoding: string
  rows: number
  changed: number
  removed: number
  bytes: number
  chunks: number
  sha256: string
  digest: string
}

/** record null: what was published under this key is obsolete. A log of files keeps it all the same. */
export interface KeyedSnapshot {
  key: string
  record: SnapshotRecord | null
}

export interface JournalRecord {
  seq: number
  step: number
  /**
   * score, learn: a batch was closed. publish: a version was published. idle, active: a partition is no longer, or again, waited for by the others. begin: a
   * model that has learned nothing begins. unknown-schema: a record was rejected for that. erase: a user was erased, as a step.
   * promote: a challenger was promoted by hand. commit: what was made of all records up to here became visible (files only; a topic's offsets say it).
   */
  kind: 'score' | 'learn' | 'publish' | 'idle' | 'active' | 'begin' | 'unknown-schema' | 'erase' | 'promote' | 'commit'
  /** What did it; linger and clock are the wall clock's, hand is somebody's. */
  trigger: 'count' | 'linger' | 'tick' | 'end' | 'clock' | 'start' | 'registry' | 'erase' | 'hand'
  eventTime: number
  examples: number
  /** offset: next offset to read. */
  consumed: { partition: number; offset: bigint }[]
  /** Records read before it. */
  records: number
  /**
   * idle, active, unknown-schema, erase: the partition's index; its name if it was added while running. promote: the name is
   * the hash of the configuration that answers from here on. Else -1 and null.
   */
  partition: number
  partitionName: string | null
  /** begin: names of the partitions; `consumed` is where they begin. */
  partitions?: readonly string[]
  /** unknown-schema, erase: the record's offset. */
  offset?: bigint
}

export interface DeadLetterRecord {
  partition: string
  offset: string
  reason: string
  stage: string
  message: string
  schema: string | null
  payload: Uint8Array
  eventTime: number | null
  /** Of a record from Kafka: the whole message. Files do not hold it. */
  original?: OriginalMessage
}

/**
 * For the prediction output: domain predictions, values in the order of the tasks. One record is reused for all. classes: of
 * the categorical tasks; without them the record is one of prediction.avsc, else of class-prediction.avsc.
 */
export function createPredictionRecord(
  tasks: readonly string[],
  classes: readonly TaskClasses[] = [],
): (prediction: Prediction) => unknown {
  // Own properties from the start, whatever a class is called.
  const probabilities = Object.fromEntries(
    classes.map(one => [one.name, Object.fromEntries(one.classes.map(text => [text, 0]))]),
  )
  const values: Record<string, number> = {}
  const record = {
    eventId: '',
    requestId: null as string | null,
    eventTime: 0,
    user: '',
    item: '',
    modelVersion: 0,
    values,
    rankScore: 0,
    ...(classes.length > 0 && { classes: probabilities }),
  }
  return function predictionRecord(prediction) {
    record.eventId = prediction.eventId
    record.requestId = prediction.requestId
    record.eventTime = prediction.eventTimeMs
    record.user = prediction.user
    record.item = prediction.item
    record.modelVersion = prediction.modelVersion
    tasks.forEach((task, index) => {
      values[task] = prediction.values[index] ?? Number.NaN
    })
    record.rankScore = prediction.rankScore
    for (const { name, first, classes: texts } of classes) {
      const own = probabilities[name] ?? {}
      for (const [index, text] of texts.entries()) own[text] = prediction.classes?.[first + index] ?? Number.NaN
    }
    return record
  }
}

/** undefined: it has no place in a log. */
export function snapshotRecord({ record }: KeyedSnapshot): unknown {
  return record === null ? undefined : payloadRecord(record)
}

/** For outputs with a `payload`: avsc takes Buffers only. No bytes are copied. */
export function payloadRecord(record: { payload: Uint8Array }): unknown {
  const { buffer, byteOffset, byteLength } = record.payload
  return { ...record, payload: Buffer.from(buffer, byteOffset, byteLength) }
}

export function journalRecord(record: JournalRecord): unknown {
  const consumed = record.consumed.map(({ partition, offset }) => ({ partition, offset: Number(offset) }))
  const { partitions = [], offset = -1n } = record
  return { ...record, consumed, partitions, offset: Number(offset) }
}

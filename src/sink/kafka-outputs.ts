/** The six outputs as topics: who is keyed by what, and how a record becomes a message. */
import type { Prediction } from '../domain/prediction.js'
import { partitionOf } from '../std/murmur2.js'
import type { OutputName, Outputs } from './delivery.js'
import { createDeadLetterOutput } from './kafka-dead-letter.js'
import type { KafkaOutput, OutputMessage } from './kafka-sink.js'
import { type JournalRecord, journalRecord, type KeyedSnapshot, snapshotRecord } from './output-records.js'
import type { PredictionEncoder } from './prediction-encoder.kernel.js'
import type { Sink } from './sink.js'

type RecordOf<S> = S extends Sink<infer T> ? T : never

/** An absent output is discarded. */
export type KafkaOutputs = { [N in OutputName]: KafkaOutput<RecordOf<Outputs[N]>> | undefined } & {
  journal: KafkaOutput<JournalRecord>
}

/** Schemas of schemas/ that the topics' values are encoded with; dead letters are bytes of others. */
export const TOPIC_SCHEMAS = {
  journal: 'journal',
  predictions: 'prediction',
  recommendations: 'recommendation',
  metrics: 'metric',
  snapshots: 'snapshot',
} as const satisfies Partial<Record<OutputName, string>>

export interface KafkaOutputsOptions {
  name: string
  /** Names of the topics: outputs.kafka of the configuration. */
  topics: Readonly<Record<OutputName, string>>
  /** false: no predictions are wanted. */
  predictions: boolean
  /** A framed value; it is not written to again. */
  encoderOf(output: Exclude<keyof typeof TOPIC_SCHEMAS, 'predictions'>, topic: string): (record: unknown) => Buffer
  predictionEncoder: Pick<PredictionEncoder, 'encode' | 'bytes' | 'length'>
}

/**
 * Predictions and recommendations are keyed by user and metrics by task, with the Java client's partitioner. Pieces of
 * snapshots have the keys that their publisher gives them, and lie in one partition: deltas follow one another.
 */
export function createKafkaOutputs(options: KafkaOutputsOptions): KafkaOutputs {
  const { name, topics, predictions, encoderOf, predictionEncoder } = options
  return {
    journal: {
      topic: topics.journal,
      onePartition: true,
      toMessage: unkeyed(encoderOf('journal', topics.journal), journalRecord),
    },
    predictions: predictions ? predicted(topics.predictions, predictionEncoder) : undefined,
    recommendations: keyed(
      topics.recommendations,
      encoderOf('recommendations', topics.recommendations),
      record => record.user,
    ),
    metrics: keyed(topics.metrics, encoderOf('metrics', topics.metrics), record => record.task),
    snapshots: snapshots(topics.snapshots, encoderOf('snapshots', topics.snapshots)),
    deadLetters: createDeadLetterOutput(topics.deadLetters, name),
  }
}

function predicted(topic: string, encoder: KafkaOutputsOptions['predictionEncoder']): KafkaOutput<Prediction> {
  const message = { key: '', value: encoder.bytes, valueBytes: 0, partition: 0 } satisfies OutputMessage
  return {
    topic,
    onePartition: false,
    toMessage(prediction, partitions) {
      encoder.encode(prediction)
      message.key = prediction.user
      message.value = encoder.bytes
      message.valueBytes = encoder.length
      message.partition = partitionOf(prediction.user, partitions)
      return message
    },
  }
}

function keyed<T>(topic: string, encode: (record: unknown) => Buffer, keyOf: (record: T) => string): KafkaOutput<T> {
  return {
    topic,
    onePartition: false,
    toMessage(record, partitions) {
      const key = keyOf(record)
      return { key, value: encode(record), partition: partitionOf(key, partitions) }
    },
  }
}

function snapshots(topic: string, encode: (record: unknown) => Buffer): KafkaOutput<KeyedSnapshot> {
  return {
    topic,
    onePartition: true,
    toMessage(keyed) {
      const record = snapshotRecord(keyed)
      return { key: Buffer.from(keyed.key), value: record === undefined ? null : encode(record), partition: 0 }
    },
  }
}

function unkeyed<T>(encode: (record: unknown) => Buffer, toRecord: (record: T) => unknown) {
  return (record: T) => ({ key: null, value: encode(toRecord(record)), partition: 0 })
}

/**
 * One output on its way to a topic: append() puts the record into the batch of its partition, encoded as it will be sent;
 * the delivery takes all batches for a commit. Nothing is sent from here, so flush() has nothing to do, and there is no
 * state: what a checkpoint has to know lies in the topics themselves.
 */
import type { PartState } from '../domain/state.js'
import type { TopicContent } from './kafka-requests.js'
import { RecordBatch, type RecordContent } from './record-batch.kernel.js'
import type { Sink } from './sink.js'

export interface OutputMessage extends RecordContent {
  partition: number
}

export interface KafkaOutput<T> {
  topic: string
  /** Readers rely on one order over the whole topic. */
  onePartition: boolean
  /** With its partition. Encodes at once: the record may be reused afterwards, and so may the message by the next call. */
  toMessage(record: T, partitions: number): OutputMessage
}

export class KafkaSink<T> implements Sink<T> {
  readonly #output: KafkaOutput<T>
  readonly #partitions: number
  readonly #maxBatchBytes: number
  #batches: RecordBatch[][]
  #pendingBytes = 0

  constructor(output: KafkaOutput<T>, partitions: number, maxBatchBytes: number) {
    this.#output = output
    this.#partitions = partitions
    this.#maxBatchBytes = Math.min(maxBatchBytes, BATCH_BYTES)
    this.#batches = emptyLists(partitions)
  }

  get pendingBytes(): number {
    return this.#pendingBytes
  }

  append(record: T): void {
    const message = this.#output.toMessage(record, this.#partitions)
    const batches = this.#batches[message.partition] ?? []
    let batch = batches.at(-1)
    if (batch === undefined || !this.#hasRoom(batch, message)) {
      batch = new RecordBatch(message.partition)
      batches.push(batch)
    }
    const before = batch.length
    batch.append(message)
    this.#pendingBytes += batch.length - before
  }

  /** Hands over what has been appended since the last call; undefined: nothing. */
  take(): TopicContent | undefined {
    if (this.#pendingBytes === 0) return undefined
    const content = { topic: this.#output.topic, batches: this.#batches }
    this.#batches = emptyLists(this.#partitions)
    this.#pendingBytes = 0
    return content
  }

  async flush(): Promise<void> {}

  saveState(): PartState {
    return { meta: null, arrays: {} }
  }

  async loadState(): Promise<void> {}

  async close(): Promise<void> {}

  /** One message larger than the limit goes alone, for the broker to judge. */
  #hasRoom(batch: RecordBatch, message: OutputMessage): boolean {
    return batch.length + roughBytes(message) <= this.#maxBatchBytes && batch.fits(message)
  }
}

/** Of many small messages: far below what any topic takes, and large enough that a batch's own cost does not show. */
const BATCH_BYTES = 131_072

const emptyLists = (count: number): RecordBatch[][] => Array.from({ length: count }, () => [])

/** What a message costs beside key and value. */
const OVERHEAD_BYTES = 32

function roughBytes({ key, value, valueBytes, headers }: OutputMessage): number {
  let bytes = OVERHEAD_BYTES + (key?.length ?? 0) + (valueBytes ?? value?.length ?? 0)
  if (headers === undefined) return bytes
  for (const [name, values] of Object.entries(headers)) {
    for (const one of Array.isArray(values) ? values : [values]) bytes += name.length + (one?.length ?? 0) + 4
  }
  return bytes
}

/**
 * One output on its way to a topic: append() makes the message and puts it behind the others of its partition; the
 * delivery takes all of them for a commit. Nothing is sent from here, so flush() has nothing to do, and there is no
 * state: what a checkpoint has to know lies in the topics themselves.
 */
import type { Message } from 'kafkajs'
import type { PartState } from '../domain/state.js'
import { messageBytes, type TopicContent } from './kafka-requests.js'
import type { Sink } from './sink.js'

export interface KafkaOutput<T> {
  topic: string
  /** Readers rely on one order over the whole topic. */
  onePartition: boolean
  /** With its partition. Encodes at once: the record may be reused afterwards. */
  toMessage(record: T, partitions: number): Message
}

export class KafkaSink<T> implements Sink<T> {
  readonly #output: KafkaOutput<T>
  readonly #partitions: number
  #messages: Message[][]
  #pendingBytes = 0

  constructor(output: KafkaOutput<T>, partitions: number) {
    this.#output = output
    this.#partitions = partitions
    this.#messages = emptyLists(partitions)
  }

  get pendingBytes(): number {
    return this.#pendingBytes
  }

  append(record: T): void {
    const message = this.#output.toMessage(record, this.#partitions)
    this.#messages[message.partition ?? 0]?.push(message)
    this.#pendingBytes += messageBytes(message)
  }

  /** Hands over what has been appended since the last call; undefined: nothing. */
  take(): TopicContent | undefined {
    if (this.#pendingBytes === 0) return undefined
    const content = { topic: this.#output.topic, messages: this.#messages }
    this.#messages = emptyLists(this.#partitions)
    this.#pendingBytes = 0
    return content
  }

  async flush(): Promise<void> {}

  saveState(): PartState {
    return { meta: null, arrays: {} }
  }

  async loadState(): Promise<void> {}

  async close(): Promise<void> {}
}

const emptyLists = (count: number): Message[][] => Array.from({ length: count }, () => [])

/**
 * Messages → produce requests, and the one way in which they are sent.
 *
 * kafkajs resolves a send as if all had been written although some was not, if a broker dies at the wrong moment, and when
 * it retries while a sibling request to another broker is under way it writes the sibling's messages twice. So: each
 * request goes to one broker; the client may not retry (whoever calls does, from the start and with a new epoch); the
 * partitions are chosen by us; and each of them must be in the answer without an error.
 */
import type { CompressionTypes, Message, RecordMetadata, TopicMessages } from 'kafkajs'
import { SendError, UnacknowledgedError } from './kafka-faults.js'

/** What one output has for a commit, in the order of appending: messages[p] for partition p. */
export interface TopicContent {
  topic: string
  messages: readonly (readonly Message[])[]
}

export interface Sender {
  sendBatch(batch: {
    acks: number
    timeout: number
    compression: CompressionTypes
    topicMessages: TopicMessages[]
  }): Promise<RecordMetadata[]>
}

/** The client groups messages by copying the group for each of them, which is cheap only while groups are small. */
const MAX_BATCH_MESSAGES = 500
/** How long a broker waits for its replicas. */
const SEND_TIMEOUT_MS = 10_000
/** What a message costs beside key and value. */
const OVERHEAD_BYTES = 32

/** leaderOf: the broker that leads a partition, as far as we know. Order within a partition is kept. */
export function planRequests(
  content: readonly TopicContent[],
  maxBatchBytes: number,
  leaderOf: (topic: string, partition: number) => number,
): TopicMessages[][] {
  const requests: TopicMessages[][] = []
  const batches = content.flatMap(({ topic, messages }) =>
    messages.map((list, partition) => ({
      topic,
      leader: leaderOf(topic, partition),
      batches: cut(list, maxBatchBytes),
    })),
  )
  for (let round = 0; ; round++) {
    const byLeader = new Map<number, Map<string, Message[]>>()
    for (const { topic, leader, batches: list } of batches) {
      const batch = list[round]
      if (batch === undefined) continue
      const request = byLeader.get(leader) ?? new Map<string, Message[]>()
      byLeader.set(leader, request)
      const messages = request.get(topic)
      if (messages === undefined) request.set(topic, batch)
      else messages.push(...batch)
    }
    if (byLeader.size === 0) break
    for (const request of byLeader.values()) {
      requests.push([...request].map(([topic, messages]) => ({ topic, messages })))
    }
  }
  return soloFirst(requests)
}

/**
 * The first request of a transaction is the one that may find the last transaction unfinished. It is for one partition
 * only, so that then nothing at all has been written and it can simply be sent again.
 */
function soloFirst(requests: TopicMessages[][]): TopicMessages[][] {
  const [first, ...rest] = requests
  const [topic, ...others] = first ?? []
  if (topic === undefined) return requests
  const partition = topic.messages[0]?.partition
  const solo = topic.messages.filter(message => message.partition === partition)
  if (solo.length === topic.messages.length && others.length === 0) return requests
  const remainder = topic.messages.filter(message => message.partition !== partition)
  const left = remainder.length === 0 ? others : [{ topic: topic.topic, messages: remainder }, ...others]
  return [[{ topic: topic.topic, messages: solo }], left, ...rest]
}

/** Batches that the broker takes: one message larger than the limit goes alone, for the broker to judge. */
function cut(messages: readonly Message[], maxBytes: number): Message[][] {
  const batches: Message[][] = []
  let batch: Message[] = []
  let bytes = 0
  for (const message of messages) {
    const size = messageBytes(message)
    if (batch.length > 0 && (bytes + size > maxBytes || batch.length >= MAX_BATCH_MESSAGES)) {
      batches.push(batch)
      batch = []
      bytes = 0
    }
    batch.push(message)
    bytes += size
  }
  if (batch.length > 0) batches.push(batch)
  return batches
}

export function messageBytes({ key, value, headers }: Message): number {
  let bytes = OVERHEAD_BYTES + (key?.length ?? 0) + (value?.length ?? 0)
  if (headers === undefined) return bytes
  for (const [name, values] of Object.entries(headers)) {
    for (const one of Array.isArray(values) ? values : [values]) bytes += name.length + (one?.length ?? 0) + 4
  }
  return bytes
}

/** Rejects unless each partition of the request was written, as far as the broker says. */
export async function sendGuarded(
  sender: Sender,
  request: TopicMessages[],
  compression: CompressionTypes,
): Promise<void> {
  const expected = new Set<string>()
  for (const { topic, messages } of request) for (const { partition } of messages) expected.add(`${topic}/${partition}`)
  const batch = { acks: -1, timeout: SEND_TIMEOUT_MS, compression, topicMessages: request }
  const answers = await sender.sendBatch(batch).catch((cause: unknown) => {
    const topics = request.map(({ topic }) => topic)
    throw new SendError(topics, cause)
  })
  for (const { topicName, partition, errorCode } of answers) {
    if (errorCode === 0) expected.delete(`${topicName}/${partition}`)
  }
  if (expected.size > 0) throw new UnacknowledgedError([...expected])
}

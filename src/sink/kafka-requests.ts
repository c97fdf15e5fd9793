/**
 * Messages → produce requests, and the one way in which they are sent.
 *
 * kafkajs resolves a send as if all had been written although some was not, if a broker dies at the wrong moment, and when
 * it retries while a sibling request to another broker is under way it writes the sibling's messages twice. So: each
 * request goes to one broker; the client may not retry (whoever calls does, from the start and with a new epoch); the
 * partitions are chosen by us; and each of them must be in the answer without an error.
 */
import type { CompressionTypes, RecordMetadata, TopicMessages } from 'kafkajs'
import { SendError, UnacknowledgedError } from './kafka-faults.js'
import { packedMessages } from './kafka-packed.js'
import type { RecordBatch } from './record-batch.kernel.js'

/** What one output has for a commit, in the order of appending: batches[p] for partition p, each as large as it may be. */
export interface TopicContent {
  topic: string
  batches: readonly (readonly RecordBatch[])[]
}

/** One topic of a request: a batch each of some of its partitions. */
export interface TopicBatches {
  topic: string
  batches: RecordBatch[]
}

export interface Sender {
  sendBatch(batch: {
    acks: number
    timeout: number
    compression: CompressionTypes
    topicMessages: TopicMessages[]
  }): Promise<RecordMetadata[]>
}

/** How long a broker waits for its replicas. */
const SEND_TIMEOUT_MS = 10_000

/** leaderOf: the broker that leads a partition, as far as we know. Order within a partition is kept. */
export function planRequests(
  content: readonly TopicContent[],
  leaderOf: (topic: string, partition: number) => number,
): TopicBatches[][] {
  const requests: TopicBatches[][] = []
  for (let round = 0; ; round++) {
    const byLeader = new Map<number, Map<string, RecordBatch[]>>()
    for (const { topic, batches } of content) {
      for (const list of batches) {
        const batch = list[round]
        if (batch === undefined) continue
        const leader = leaderOf(topic, batch.partition)
        const request = byLeader.get(leader) ?? new Map<string, RecordBatch[]>()
        byLeader.set(leader, request)
        const others = request.get(topic)
        if (others === undefined) request.set(topic, [batch])
        else others.push(batch)
      }
    }
    if (byLeader.size === 0) break
    for (const request of byLeader.values()) {
      requests.push([...request].map(([topic, batches]) => ({ topic, batches })))
    }
  }
  return soloFirst(requests)
}

/**
 * The first request of a transaction is the one that may find the last transaction unfinished. It is for one partition
 * only, so that then nothing at all has been written and it can simply be sent again.
 */
function soloFirst(requests: TopicBatches[][]): TopicBatches[][] {
  const [first, ...rest] = requests
  const [head, ...others] = first ?? []
  const [solo, ...remainder] = head?.batches ?? []
  if (head === undefined || solo === undefined || (remainder.length === 0 && others.length === 0)) return requests
  const { topic } = head
  const left = remainder.length === 0 ? others : [{ topic, batches: remainder }, ...others]
  return [[{ topic, batches: [solo] }], left, ...rest]
}

/** Rejects unless each partition of the request was written, as far as the broker says. */
export async function sendGuarded(
  sender: Sender,
  request: readonly TopicBatches[],
  compression: CompressionTypes,
): Promise<void> {
  const expected = new Set<string>()
  for (const { topic, batches } of request) for (const { partition } of batches) expected.add(`${topic}/${partition}`)
  const topicMessages = request.map(({ topic, batches }) => ({ topic, messages: packedMessages(batches) }))
  const batch = { acks: -1, timeout: SEND_TIMEOUT_MS, compression, topicMessages }
  const answers = await sender.sendBatch(batch).catch((cause: unknown) => {
    const topics = request.map(({ topic }) => topic)
    throw new SendError(topics, cause)
  })
  for (const { topicName, partition, errorCode } of answers) {
    if (errorCode === 0) expected.delete(`${topicName}/${partition}`)
  }
  if (expected.size > 0) throw new UnacknowledgedError([...expected])
}

/**
 * The events that both sides read: the same users, items, times and ratings, once in our schema and once in the peer's,
 * values of about the same size. Users and items are drawn with a skew, as in real streams.
 */
import avro from 'avsc'
import { Kafka, logLevel, type Producer, type TopicMessages } from 'kafkajs'
import { createFramedEncoder } from '../src/sink/framed-encoder.js'
import { partitionOf } from '../src/std/murmur2.js'
import { Random } from '../src/std/random.js'

const USERS = 50_000
const ITEMS = 10_000
/** Event time between two events of the prepared log; the hour changes within it, the day does not. */
const STEP_MS = 20
const FIRST_MS = Date.UTC(2026, 0, 5)
const CONTEXT_FLOATS = 6

/** As peer_pipeline.py reads it, whatever its id: it steps over the frame. */
const PEER_EVENT = avro.Type.forSchema({
  type: 'record',
  name: 'Event',
  namespace: 'ev',
  fields: [
    { name: 'user', type: 'long' },
    { name: 'item', type: 'long' },
    { name: 'ts', type: { type: 'long', logicalType: 'timestamp-millis' } },
    { name: 'kind', type: { type: 'enum', name: 'Kind', symbols: ['CLICK', 'BUY', 'RATING'] } },
    { name: 'rating', type: ['null', 'float'], default: null },
    { name: 'session', type: 'string' },
    { name: 'page', type: 'string' },
    { name: 'ctx', type: { type: 'array', items: 'float' } },
  ],
} as never)

export interface Drawn {
  number: number
  user: number
  item: number
  rating: number
  page: string
  device: string
  session: string
}

export type DrawEvent = () => Drawn

export function createDraw(seed: number): DrawEvent {
  const random = new Random(seed)
  let number = 0
  const skewed = (count: number) => Math.floor(count * random.uniform() ** 3)
  return () => {
    const user = skewed(USERS)
    return {
      number: number++,
      user,
      item: skewed(ITEMS),
      rating: 1 + random.integer(5),
      page: `/shop/page-${skewed(200)}`,
      device: ['phone', 'tablet', 'desktop', 'tv'][skewed(4)] ?? 'phone',
      session: `session-${user}`,
    }
  }
}

/** A draw as our rating, framed. */
export function createRatingEncoder(schemaId: number): (event: Drawn, eventTimeMs: number) => Buffer {
  const encode = createFramedEncoder('rating', schemaId)
  return ({ number, user, item, rating, page, device, session }, eventTimeMs) =>
    encode({
      eventId: `e${number}`,
      eventTime: eventTimeMs,
      user: BigInt(user),
      item: BigInt(item),
      requestId: null,
      value: rating,
      context: { page, device, session },
    })
}

/** Names of the two topics. */
export interface Topics {
  ours: string
  peer: string
}

/** Writes so many events to both topics, keyed by user. */
export async function produceLog(
  brokers: readonly string[],
  topics: Topics,
  options: { events: number; partitions: number; schemaId: number },
): Promise<void> {
  const { events, partitions, schemaId } = options
  const producer = await connectProducer(brokers)
  const draw = createDraw(11)
  const encode = createRatingEncoder(schemaId)
  const floats = Array.from({ length: CONTEXT_FLOATS }, (_, index) => index / CONTEXT_FLOATS)
  const CHUNK = 2000
  for (let done = 0; done < events; ) {
    const ours: TopicMessages['messages'] = []
    const peer: TopicMessages['messages'] = []
    for (const end = Math.min(events, done + CHUNK); done < end; done++) {
      const event = draw()
      const { number, user, item, rating, page, session } = event
      const timeMs = FIRST_MS + number * STEP_MS
      const place = { key: String(user), partition: partitionOf(String(user), partitions) }
      ours.push({ ...place, value: encode(event, timeMs) })
      const kind = rating >= 4 ? 'BUY' : 'RATING'
      const body = PEER_EVENT.toBuffer({ user, item, ts: timeMs, kind, rating, session, page, ctx: floats })
      peer.push({ ...place, value: Buffer.concat([Buffer.from([0, 0, 0, 0, 1]), body]) })
    }
    await producer.sendBatch({
      acks: -1,
      topicMessages: [
        { topic: topics.ours, messages: ours },
        { topic: topics.peer, messages: peer },
      ],
    })
  }
  await producer.disconnect()
}

export async function connectProducer(brokers: readonly string[]): Promise<Producer> {
  const producer = client(brokers).producer({ createPartitioner: () => args => args.message.partition ?? 0 })
  await producer.connect()
  return producer
}

export function client(brokers: readonly string[]): Kafka {
  return new Kafka({ brokers: [...brokers], clientId: 'bench', logLevel: logLevel.NOTHING })
}

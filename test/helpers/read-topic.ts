/**
 * Reads topics with librdkafka (confluent-kafka in the provisioned Python): losses and doubles are proven with a client
 * that shares no code with ours. The end of a topic is what the broker says it is, not a time without messages, so that
 * a slow machine changes nothing.
 */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache')
export const python = join(cache, 'millrace', 'py', 'bin', 'python')

/** For `{ skip }`: false, or the reason. */
export const pythonSkip: false | string = existsSync(python)
  ? false
  : 'python tools are not provisioned (scripts/provision-python)'

export interface ReadRecord {
  partition: number
  offset: bigint
  timestampMs: number
  key: Buffer | null
  value: Buffer | null
  headers: [name: string, value: string][]
}

export interface ReadOptions {
  /**
   * read_committed: wait until no transaction is open. One that has been committed ends in each partition a little later
   * than its producer hears of it.
   */
  settled?: boolean
  isolation?: 'read_committed' | 'read_uncommitted'
}

const PROGRAM = `
import base64, json, sys
from confluent_kafka import Consumer, KafkaError, TopicPartition
brokers, topic, isolation, settled = sys.argv[1:]
consumer = Consumer({'bootstrap.servers': brokers, 'group.id': 'independent-reader', 'isolation.level': isolation,
                     'enable.auto.commit': False, 'enable.partition.eof': True, 'auto.offset.reset': 'earliest'})
partitions = consumer.list_topics(topic, 60).topics[topic].partitions
consumer.assign([TopicPartition(topic, partition, 0) for partition in partitions])
open_ends = set(partitions)
all_ends = Consumer({'bootstrap.servers': brokers, 'group.id': 'independent-reader', 'isolation.level': 'read_uncommitted'})
text = lambda data: None if data is None else base64.b64encode(data).decode()
while open_ends:
    message = consumer.poll(60)
    if message is None: sys.exit(f'no answer from {brokers} for a minute, partitions {open_ends} of {topic} not at their end')
    if message.error():
        if message.error().code() != KafkaError._PARTITION_EOF: sys.exit(str(message.error()))
        place = TopicPartition(topic, message.partition())
        if settled == 'settled' and message.offset() < all_ends.get_watermark_offsets(place, 60)[1]: continue
        open_ends.discard(message.partition())
        continue
    print(json.dumps([message.partition(), message.offset(), message.timestamp()[1], text(message.key()), text(message.value()),
                      [[name, text(value)] for name, value in message.headers() or []]]))
consumer.close()
`

/** Everything in a topic from its beginning to its present end, in the order of arrival (within a partition: by offset). */
export async function readTopic(
  brokers: readonly string[],
  topic: string,
  { isolation = 'read_committed', settled = false }: ReadOptions = {},
): Promise<ReadRecord[]> {
  const args = ['-c', PROGRAM, brokers.join(','), topic, isolation, settled ? 'settled' : 'as it is']
  const { stdout } = await promisify(execFile)(python, args, { maxBuffer: 1 << 30 })
  return stdout
    .split('\n')
    .filter(line => line !== '')
    .map(line => {
      const [partition, offset, timestampMs, key, value, headers] = JSON.parse(line)
      return {
        partition,
        offset: BigInt(offset),
        timestampMs,
        key: bytes(key),
        value: bytes(value),
        headers: headers.map(([name, value]: [string, string | null]) => [name, String(bytes(value))]),
      }
    })
}

const bytes = (base64: string | null) => (base64 === null ? null : Buffer.from(base64, 'base64'))

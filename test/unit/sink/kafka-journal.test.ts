import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as pause } from 'node:timers/promises'
import type { Kafka } from 'kafkajs'
import { KafkaJournalReader } from '../../../src/sink/kafka-journal.js'

/** A client whose consumer crashes between joining its group and being asked to read. */
function crashingKafka(): Kafka {
  const listeners = new Map<string, (event: object) => void>()
  const consumer = {
    events: { GROUP_JOIN: 'join', CRASH: 'crash', END_BATCH_PROCESS: 'end' },
    on: (name: string, listener: (event: object) => void) => listeners.set(name, listener),
    connect: async () => undefined,
    subscribe: async () => undefined,
    run: async () => listeners.get('join')?.({}),
    pause: () => undefined,
    resume: () => undefined,
    seek: () => {
      throw new Error('Consumer group was not initialized')
    },
    disconnect: async () => undefined,
  }
  return { consumer: () => consumer } as unknown as Kafka
}

test('a reader whose consumer has crashed says so to who reads, and to nobody else when it is closed', async () => {
  const reader = await KafkaJournalReader.open({
    kafka: crashingKafka(),
    topic: 'journal',
    groupId: 'readers',
    decode: () => assert.fail(),
    withAdmin: use =>
      use({ fetchTopicOffsets: async () => [{ partition: 0, low: '0', high: '5' }], deleteGroups: async () => [] }),
  })
  await assert.rejects(reader.read(0), /not initialized/)
  await reader.close()
  // A rejection that nobody handles comes a moment later.
  await pause()
})

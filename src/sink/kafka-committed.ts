/** What a group has committed with its outputs, read without taking anything over: whoever commits there goes on. */
import kafkajs, { type KafkaConfig } from 'kafkajs'
import type { KafkaConnection } from '../config/kafka-connection.js'
import type { Log } from '../observe/log.js'
import type { Clock } from '../std/clock.js'
import { uniqueName } from '../std/unique-name.js'
import type { Recovered } from './delivery.js'
import { KafkaCluster } from './kafka-cluster.js'
import { registerCodecs } from './kafka-codecs.js'
import { KafkaJournalReader } from './kafka-journal.js'
import { GroupOffsets } from './kafka-offsets.js'
import { createRetry } from './kafka-retry.js'
import type { JournalRecord } from './output-records.js'

export interface CommittedOptions {
  connection: KafkaConnection
  groupId: string
  journalTopic: string
  decodeJournal(value: Buffer): JournalRecord
  logger: Log
  clock: Clock
}

/** The journal is read behind the offsets: of a run that goes on it may tell more than they. */
export async function readCommitted(options: CommittedOptions): Promise<Recovered> {
  registerCodecs()
  const { connection, groupId, journalTopic, decodeJournal: decode, logger, clock } = options
  const instance = uniqueName()
  const kafka = new kafkajs.Kafka(connection as KafkaConfig)
  const cluster = new KafkaCluster(kafka)
  const retry = createRetry({ logger, clock, signal: new AbortController().signal })
  try {
    await retry(`looking for topic ${journalTopic}`, () => cluster.look([journalTopic]))
    const group = new GroupOffsets({ groupId, instance, journalTopic, withAdmin: use => cluster.withAdmin(use) })
    const offsets = await retry(`reading the offsets of group ${groupId}`, () => group.read())
    const journal = await retry(`reading the journal ${journalTopic}`, async () => {
      const reader = await KafkaJournalReader.open({
        kafka,
        topic: journalTopic,
        groupId: `${groupId}-journal-${instance}`,
        decode,
        withAdmin: use => cluster.withAdmin(use),
      })
      return reader.read(0).finally(() => reader.close())
    })
    return { offsets, journal }
  } finally {
    await cluster.close()
  }
}

/** What the outputs have to know of the cluster: topics, their partitions and leaders. Owns the admin connection. */
import type { Admin, Kafka } from 'kafkajs'
import { MillraceError } from '../domain/errors.js'

export class KafkaCluster {
  readonly #kafka: Kafka
  #admin: Promise<Admin> | undefined
  /** By topic: the leader of each partition. */
  readonly #leaders = new Map<string, number[]>()

  constructor(kafka: Kafka) {
    this.#kafka = kafka
  }

  /** After a failure the connection is made anew: the client does not find back to a cluster that it has lost. */
  async withAdmin<T>(use: (admin: Admin) => Promise<T>): Promise<T> {
    this.#admin ??= this.#connect()
    const admin = this.#admin
    try {
      return await use(await admin)
    } catch (error) {
      if (this.#admin === admin) this.#admin = undefined
      admin.then(connected => connected.disconnect()).catch(() => undefined)
      throw error
    }
  }

  /** Learns about these topics, or about all known ones again. KAFKA_TOPIC: one is not there. */
  async look(topics: readonly string[] = [...this.#leaders.keys()]): Promise<void> {
    for (const topic of topics) {
      const { topics: found } = await this.withAdmin(admin => admin.fetchTopicMetadata({ topics: [topic] })).catch(
        (error: unknown) => {
          if (!isUnknownTopic(error)) throw error
          throw new MillraceError('KAFKA_TOPIC', `there is no topic ${topic}`, { cause: error })
        },
      )
      const leaders: number[] = []
      for (const { partitionId, leader } of found[0]?.partitions ?? []) leaders[partitionId] = leader
      this.#leaders.set(topic, leaders)
    }
  }

  partitionsOf(topic: string): number {
    return this.#leaders.get(topic)?.length ?? 0
  }

  leaderOf(topic: string, partition: number): number {
    return this.#leaders.get(topic)?.[partition] ?? -1
  }

  async close(): Promise<void> {
    await (await this.#admin?.catch(() => undefined))?.disconnect().catch(() => undefined)
    this.#admin = undefined
  }

  async #connect(): Promise<Admin> {
    const admin = this.#kafka.admin()
    await admin.connect()
    return admin
  }
}

function isUnknownTopic(error: unknown): boolean {
  const { type, cause } = error as { type?: string; cause?: unknown }
  return type === 'UNKNOWN_TOPIC_OR_PARTITION' || (cause instanceof Error && isUnknownTopic(cause))
}

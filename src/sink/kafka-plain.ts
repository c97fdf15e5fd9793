/** Messages without a transaction: sent, checked, and sent again until each is acknowledged. Some may be there twice. */
import type { CompressionTypes, Kafka, Producer } from 'kafkajs'
import { planRequests, sendGuarded, type TopicContent } from './kafka-requests.js'
import type { Retry } from './kafka-retry.js'

export interface PlainSenderOptions {
  kafka: Kafka
  compression: CompressionTypes
  leaderOf(topic: string, partition: number): number
  retry: Retry
}

export class PlainSender {
  readonly #options: PlainSenderOptions
  #producer: Producer | undefined

  constructor(options: PlainSenderOptions) {
    this.#options = options
  }

  async send(content: readonly TopicContent[]): Promise<void> {
    const { compression, leaderOf, retry } = this.#options
    for (const request of planRequests(content, leaderOf)) {
      const topics = request.map(({ topic }) => topic).join(', ')
      await retry(`publishing to ${topics}`, async () => {
        try {
          await sendGuarded(await this.#connected(), request, compression)
        } catch (error) {
          await this.close()
          throw error
        }
      })
    }
  }

  async close(): Promise<void> {
    const producer = this.#producer
    this.#producer = undefined
    await producer?.disconnect().catch(() => undefined)
  }

  async #connected(): Promise<Producer> {
    if (this.#producer !== undefined) return this.#producer
    const producer = this.#options.kafka.producer({
      allowAutoTopicCreation: false,
      createPartitioner: () => args => args.message.partition ?? 0,
      retry: { retries: 0 },
    })
    await producer.connect()
    this.#producer = producer
    return producer
  }
}

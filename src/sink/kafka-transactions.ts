/**
 * Transactions that happen exactly once: content and offsets go out together, whatever fails on the way. Owns the
 * transactional producer. One transact() at a time.
 *
 * Each transaction writes a token of its own beside the offsets that it commits. A failure is one of three:
 * - Nothing was written (the last transaction was still being finished): the same producer tries again.
 * - Something may have been written, but no commit was asked for: the transaction is aborted and the producer given up. A
 *   new one, with the same id and a new epoch, begins from the start with the same content. The old one must not go on:
 *   the client would count its sequence numbers back, and the broker would take what comes next for a repetition of
 *   what was aborted, acknowledge it and drop it.
 * - The commit was asked for and the answer is missing. A new producer's start makes the broker finish the old transaction
 *   one way or the other; then the token that lies beside the group's offsets says which way it was.
 *
 * takeOver() (and each new producer) ends the epoch of any older instance with the same id: its next request is refused, and
 * it stops with KAFKA_FENCED. An old instance that comes back from the dead and takes a new epoch itself finds a token
 * that is not its own, and stops as well.
 */
import type { CompressionTypes, Kafka, Producer, Transaction } from 'kafkajs'
import { MillraceError } from '../domain/errors.js'
import type { Clock } from '../std/clock.js'
import type { ConsumedPartition } from './delivery.js'
import { isBusy, isFenced } from './kafka-faults.js'
import type { GroupOffsets } from './kafka-offsets.js'
import { planRequests, sendGuarded, type TopicContent } from './kafka-requests.js'
import type { Retry } from './kafka-retry.js'

/** The broker gives up on a transaction that lasts longer; until then readers do not see what lies behind its begin. */
const TRANSACTION_TIMEOUT_MS = 60_000

export interface TransactionsOptions {
  kafka: Kafka
  transactionalId: string
  offsets: GroupOffsets
  compression: CompressionTypes
  leaderOf(topic: string, partition: number): number
  retry: Retry
  clock: Clock
  /** For metrics. */
  onTransaction?(result: TransactionResult): void
}

/** in_doubt: the answer to the commit is missing; what became of it shows when the work is taken up again. */
export type TransactionResult = 'committed' | 'aborted' | 'in_doubt'

/** What a transaction is about to write, the same at each attempt. */
interface Work {
  content: readonly TopicContent[]
  offsets: readonly ConsumedPartition[]
  token: string
}

export class KafkaTransactions {
  readonly #options: TransactionsOptions
  #producer: Producer | undefined
  /** The commit of this token was asked for, and nobody has said what became of it. */
  #doubtful: string | undefined

  constructor(options: TransactionsOptions) {
    this.#options = options
  }

  /** From here on no older instance can commit, and what it left open is aborted. */
  async takeOver(): Promise<void> {
    const { retry, transactionalId } = this.#options
    await retry(`taking over with transactional id ${transactionalId}`, async () => {
      await this.#discard()
      await this.#start()
      await this.#options.offsets.read()
    })
    this.#doubtful = undefined
  }

  async transact(content: readonly TopicContent[], offsets: readonly ConsumedPartition[]): Promise<void> {
    const { retry, offsets: group } = this.#options
    const work = { content, offsets, token: group.nextToken() }
    await retry(`committing to group ${group.groupId}`, async () => {
      const isNew = this.#producer === undefined
      const producer = this.#producer ?? (await this.#start())
      if (isNew && (await this.#isCommitted(work))) return
      await this.#attempt(producer, work)
    })
    group.lastToken = work.token
    this.#doubtful = undefined
  }

  async close(): Promise<void> {
    await this.#discard()
  }

  async #attempt(producer: Producer, work: Work): Promise<void> {
    const { clock } = this.#options
    const beganMs = clock.monotonicMs()
    const transaction = await producer.transaction()
    const progress = { requests: 0 }
    try {
      await this.#write(transaction, work, progress)
    } catch (error) {
      await this.#abort(transaction, progress.requests === 0 && isBusy(error))
      throw this.#tooLate(error, beganMs)
    }
    this.#doubtful = work.token
    try {
      await transaction.commit()
      this.#options.onTransaction?.('committed')
    } catch (error) {
      this.#options.onTransaction?.('in_doubt')
      await this.#discard()
      throw this.#tooLate(error, beganMs)
    }
  }

  async #write(transaction: Transaction, { content, offsets, token }: Work, progress: { requests: number }) {
    const { compression, leaderOf, offsets: group } = this.#options
    for (const request of planRequests(content, leaderOf)) {
      await sendGuarded(transaction, request, compression)
      progress.requests++
    }
    await transaction.sendOffsets({ consumerGroupId: group.groupId, topics: group.toCommit(offsets, token) })
  }

  /** clean: nothing was written, so that there is nothing to abort at the broker either. */
  async #abort(transaction: Transaction, clean: boolean): Promise<void> {
    if (!clean) this.#options.onTransaction?.('aborted')
    try {
      await transaction.abort()
      if (clean) return
    } catch (error) {
      // The one failure that says something new: somebody else has taken over.
      if (isFenced(error)) {
        await this.#discard()
        throw error
      }
    }
    await this.#discard()
  }

  /** An epoch that ended because the transaction outlived its time is not the work of another instance. */
  #tooLate(error: unknown, beganMs: number): unknown {
    const lasted = this.#options.clock.monotonicMs() - beganMs
    if (!isFenced(error) || lasted < TRANSACTION_TIMEOUT_MS * 0.9) return error
    return new Error(`the transaction was given up by the broker after ${Math.round(lasted)} ms`)
  }

  /** After a new start: did the transaction whose answer is missing happen? And is it still us who commit? */
  async #isCommitted({ token }: Work): Promise<boolean> {
    const { offsets: group, transactionalId } = this.#options
    const known = group.lastToken
    await group.read()
    if (group.lastToken === token && this.#doubtful === token) return true
    if (group.lastToken === known) return false
    throw new MillraceError('KAFKA_FENCED', `another instance has committed with transactional id ${transactionalId}`)
  }

  async #start(): Promise<Producer> {
    const { kafka, transactionalId } = this.#options
    const producer = kafka.producer({
      transactionalId,
      transactionTimeout: TRANSACTION_TIMEOUT_MS,
      allowAutoTopicCreation: false,
      // Partitions are chosen where messages are made.
      createPartitioner: () => args => args.message.partition ?? 0,
      // Not idempotent by this flag, and no retries: see kafka-requests.ts. Transactions are idempotent in any case.
      idempotent: false,
      retry: { retries: 0 },
    })
    try {
      await producer.connect()
      // The client asks for its epoch when the first transaction begins; an empty one costs nothing more.
      await (await producer.transaction()).abort()
    } catch (error) {
      await producer.disconnect().catch(() => undefined)
      throw error
    }
    this.#producer = producer
    return producer
  }

  async #discard(): Promise<void> {
    const producer = this.#producer
    this.#producer = undefined
    await producer?.disconnect().catch(() => undefined)
  }
}

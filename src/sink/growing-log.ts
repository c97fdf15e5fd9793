/** An event log that is appended to while it is read: one writer, everything durable before append() resolves. */
import type { Event, EventKind } from '../domain/event.js'
import { EVENT_KINDS, userOf } from '../domain/event.js'
import { idAwareType } from '../std/avro-long.js'
import { partitionOf } from '../std/murmur2.js'
import { readSchemaFile } from '../std/schema-file.js'
import { GrowingPartition, type KnownPartition } from './growing-partition.js'
import type { LogClaim } from './log-claim.js'

/** An event and the record of schemas/ that it was read from. */
export interface NewEvent {
  event: Event
  record: unknown
}

export class GrowingLog {
  readonly #claim: LogClaim
  readonly #types: Readonly<Record<EventKind, ReturnType<typeof idAwareType>>>
  readonly #partitions: GrowingPartition[]

  /** ends: of its partitions, in their order. */
  constructor(ends: readonly KnownPartition[], claim: LogClaim) {
    const schema = EVENT_KINDS.map(readSchemaFile)
    this.#claim = claim
    this.#types = Object.fromEntries(EVENT_KINDS.map((kind, index) => [kind, idAwareType(schema[index])])) as never
    this.#partitions = ends.map(end => new GrowingPartition(end, schema))
  }

  /** One call at a time. After LOG_TAKEN, DISK_FULL or OUTPUT_FAILED some of it may be there, and the object is of no use. */
  async append(events: readonly NewEvent[]): Promise<void> {
    for (const { event, record } of events) {
      const partition = this.#partitions[placeOf(event, this.#partitions.length)] as GrowingPartition
      partition.append(this.#types[event.kind], record, EVENT_KINDS.indexOf(event.kind))
    }
    await this.#claim.check()
    await Promise.all(this.#partitions.map(partition => partition.write()))
    await this.#claim.check()
  }

  async close(): Promise<void> {
    await Promise.all(this.#partitions.map(partition => partition.close()))
  }
}

/** A user's events lie where Kafka would put them; items are in the first partition, which comes first among equal times. */
function placeOf(event: Event, partitions: number): number {
  const user = userOf(event)
  return user === undefined ? 0 : partitionOf(user, partitions)
}

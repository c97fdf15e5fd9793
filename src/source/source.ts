/**
 * A source yields batches of records in the one order in which they are learned. The order is a function of the log
 * alone: partitions are merged by event time (the earlier head first, ties by partition index), so that two readers of
 * one log see the same sequence whatever their timing.
 *
 * Call order: open(from) once, then next() until it resolves to undefined (end of a finite log), then close(). next()
 * is never called before the previous one resolved. A batch and its records belong to the caller; the source does not
 * touch them again.
 *
 * Errors: LOG_NOT_FOUND from open; a corrupt stretch of bytes is not an error but a record with `outcome.kind ===
 * 'reject'`, so that nothing is lost silently and reading goes on behind it.
 */
import type { Event, RecordPosition } from '../domain/event.js'
import type { Outcome } from '../domain/outcome.js'

export interface SourceRecord extends RecordPosition {
  outcome: Outcome<Event>
  /**
   * The body as written, without framing: data[start, end). `data` may be a whole block, which stays in memory as long
   * as the record does: copy what outlives the batch.
   */
  data: Uint8Array
  start: number
  end: number
  /** The writer's schema of the body as JSON; undefined where none could be read. */
  schema: string | undefined
  /** Of a record from Kafka: the message around the body, byte for byte, for dead letters. */
  original?: OriginalMessage
}

export interface OriginalMessage {
  key: Uint8Array | null
  /** With its framing; null: a tombstone. */
  value: Uint8Array | null
  headers: WireHeaders
  /** By the producer or the broker. */
  timestampMs: number
}

/** Headers of a message as the client gives them; a name that occurs several times has a list. */
export type WireHeaders = Readonly<Record<string, Uint8Array | string | readonly (Uint8Array | string)[] | undefined>>

/** Before the record with this number (from 0) was taken, the partition became idle or active. */
export interface MergeDecision {
  records: number
  partition: number
  idle: boolean
  /** The partition was added while running: its name, so that it gets the same index again. */
  name?: string
}

export interface Source {
  /** Names of the partitions; the index in this list is `RecordPosition.partition`. */
  readonly partitions: readonly string[]
  /** offsets[p] is the next offset to read of partition p; [] = from the beginning. */
  open(offsets: readonly bigint[]): Promise<void>
  /** The next records in order, at most a few thousand; undefined at the end of a finite log; may wait in follow mode, and then resolves to [] after `idleMs` without a record. */
  next(): Promise<SourceRecord[] | undefined>
  /** How much of the log has been read, 0..1, for progress display only; undefined if it can not be known. */
  progress(): number | undefined
  /** Of a source that can repeat an earlier reading: it still does. What it repeats and what is new never share a batch. */
  readonly following?: boolean
  /** While it repeats: offsets, by partition, before which nothing is left to be given. A batch ends where some turn out to be missing. */
  passed?(): readonly bigint[] | undefined
  /** Sources whose order depends on which partitions are idle: those that are, for a checkpoint. */
  standing?(): readonly MergeDecision[]
  /** Records ahead of the last one given that were rejected for an unknown schema already, for a checkpoint. */
  unknownAhead?(): readonly UnknownSchema[]
  close(): Promise<void>
}

/**
 * Decodes the records of one writer schema (src/decode makes them, sources use them). Not a pure function, so that the
 * hot path allocates nothing besides the event: `end`, `bodyStart` and `schema` describe the record decoded last.
 */
export interface RecordDecoder {
  /** The record that starts at `position`; it may not reach beyond `limit`. */
  decode(buffer: Buffer, position: number, limit: number): Outcome<Event>
  /** Where the next record starts; -1: the bytes can not even be walked by their schema, so that nobody knows. */
  readonly end: number
  /** Where the record's body starts: behind the branch number in a log of several record types. */
  readonly bodyStart: number
  /** The schema of the body as JSON, as written. */
  readonly schema: string
}

export type DecoderFactory = (writerSchemaJson: string) => RecordDecoder

export interface WireMessage {
  /** null: a tombstone. */
  value: Buffer | null
  headers?: WireHeaders | undefined
}

export interface DecodedMessage {
  outcome: Outcome<Event>
  /** The value as it was given, not copied; empty for a tombstone. The Avro body is what begins at `bodyStart`. */
  bytes: Uint8Array
  bodyStart: number
  /** The writer's schema as JSON; undefined where none is known. */
  schema: string | undefined
  /** Rejected because the registry does not know its schema; later it may. */
  unknown?: true
}

/** A record that was rejected because the registry did not know its schema then. A repetition must not ask again. */
export interface UnknownSchema {
  partition: number
  offset: bigint
}

/**
 * Decodes the values of Kafka messages (src/decode makes it, sources use it). Their schemas come from a registry over
 * the network and decoding must not wait, so there are two steps: prepare() fetches what messages need and is not known
 * yet, decode() is synchronous. Any number of messages may be prepared before the first of them is decoded.
 *
 * prepare() waits as long as the registry is down (messages of known schemas need no answer and do not wait). It rejects
 * with REGISTRY_FAILED if the registry refuses this client, and with an AbortError once it is closed. decode() of a
 * message that was not prepared is a defect of the caller and throws; nothing that is wrong with the data does.
 */
export interface MessageDecoder {
  prepare(messages: Iterable<WireMessage>): Promise<void>
  /**
   * topic: where the message lies; needed where schemas are by topic. asUnknown: of a repetition; the registry did not
   * know its schema then, whatever it knows now.
   */
  decode(value: Buffer | null, headers?: WireHeaders, topic?: string, asUnknown?: boolean): DecodedMessage
}

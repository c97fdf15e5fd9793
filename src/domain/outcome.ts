/**
 * What became of one record. Data faults are values, never throws: `drop` is by rule (a duplicate, too late) and only
 * counted; `reject` goes to the dead-letter output with the original bytes. The reasons are closed unions because they
 * are metric labels.
 */
export const DROP_REASONS = ['duplicate', 'late', 'capacity', 'organic', 'tombstone', 'erased'] as const

export const REJECT_REASONS = [
  'undecodable', // bytes are not the record the schema says
  'schema-incompatible', // the writer's schema can not be read as ours
  'unknown-event', // a record type that we do not know
  'invalid-id', // empty, or longer than the limit
  'invalid-time', // negative, not a number
  'future-time', // beyond the allowed clock skew
  'invalid-number', // NaN, infinite or out of its range
  'too-large', // record or list beyond its limit
  'corrupt-block', // the container's block fails its checks; all its bytes are one dead letter
] as const

export type DropReason = (typeof DROP_REASONS)[number]
export type RejectReason = (typeof REJECT_REASONS)[number]

export type Outcome<T> =
  | { kind: 'ok'; value: T }
  | { kind: 'drop'; reason: DropReason }
  | { kind: 'reject'; reason: RejectReason; message: string }

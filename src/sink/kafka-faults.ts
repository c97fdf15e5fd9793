/**
 * What a failure of the Kafka client means for whoever commits. The client's own words are not enough: it calls errors
 * retriable that never pass, and final ones that do. It wraps causes in causes; the innermost says what happened.
 */
import { kafkaFault as clientFault } from '../config/kafka-connection.js'
import { MillraceError } from '../domain/errors.js'

export type KafkaFault =
  /** The last transaction is still being written out by the brokers: ask again in a moment. */
  | { kind: 'busy' }
  /** The epoch of this producer is over: another instance took over, or the transaction lasted too long. */
  | { kind: 'fenced'; message: string }
  /** Passes. unreachable: no broker answers. giveUpMs: and if it has not after this time, it is `otherwise`. */
  | { kind: 'passing'; message: string; unreachable: boolean; giveUpMs: number; otherwise: MillraceError }
  | { kind: 'final'; error: MillraceError }

/** send() resolved, but not for all that was sent (kafkajs #1303). */
export class UnacknowledgedError extends Error {
  constructor(partitions: readonly string[]) {
    super(`not acknowledged: ${partitions.join(', ')}`)
    this.name = 'UnacknowledgedError'
  }
}

/** Says which topics a failed request was for; the brokers do not. */
export class SendError extends Error {
  readonly topics: string

  constructor(topics: readonly string[], cause: unknown) {
    super(`sending to ${topics.join(', ')}`, { cause })
    this.name = 'SendError'
    this.topics = topics.join(', ')
  }
}

const TOO_LARGE = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE'])
/** INVALID_RECORD: such as no key in a compacted topic. */
const WRONG_TOPIC = new Set(['POLICY_VIOLATION', 'INVALID_RECORD', 'UNSUPPORTED_FOR_MESSAGE_FORMAT'])
const FENCED = new Set(['INVALID_PRODUCER_EPOCH', 'PRODUCER_FENCED'])
const UNREACHABLE = new Set([
  'KafkaJSConnectionError',
  'KafkaJSConnectionClosedError',
  'KafkaJSRequestTimeoutError',
  'KafkaJSNoBrokerAvailableError',
  'KafkaJSBrokerNotFound',
])
const DEFECTS = new Set(['TypeError', 'RangeError', 'ReferenceError', 'SyntaxError'])

const TOPIC_GRACE_MS = 60_000
const UNKNOWN_GRACE_MS = 30_000

interface ClientError {
  name?: string
  message?: string
  type?: string
  retriable?: boolean
  cause?: unknown
}

/** doing: for people, such as 'committing to group shop'. */
export function kafkaFault(error: unknown, doing: string): KafkaFault {
  if (error instanceof MillraceError) return { kind: 'final', error }
  if (error instanceof SendError) return kafkaFault(error.cause, `${doing}, sending to ${error.topics}`)
  const cause = innermost(error)
  const { name = '', type = '', retriable } = cause
  const message = `${doing}: ${cause.message ?? String(error)}`
  const fatal = (code: ConstructorParameters<typeof MillraceError>[0], text = message) =>
    new MillraceError(code, text, { cause: error, details: { type } })
  const final = (code: ConstructorParameters<typeof MillraceError>[0], text?: string): KafkaFault => ({
    kind: 'final',
    error: fatal(code, text),
  })
  const passing = (giveUpMs: number, otherwise: MillraceError, unreachable = false): KafkaFault => ({
    kind: 'passing',
    message,
    unreachable,
    giveUpMs,
    otherwise,
  })

  if (type === 'CONCURRENT_TRANSACTIONS') return { kind: 'busy' }
  // The client does not know the newer PRODUCER_FENCED by name.
  if (FENCED.has(type) || /error code 90\b/.test(message)) return { kind: 'fenced', message }
  const known = clientFault(error, doing)
  if (known.code === 'KAFKA_REFUSED' || known.code === 'KAFKA_TOPIC') return { kind: 'final', error: known }
  if (UNREACHABLE.has(name)) return passing(Number.POSITIVE_INFINITY, fatal('KAFKA_UNREACHABLE'), true)
  if (TOO_LARGE.has(type)) return final('KAFKA_TOO_LARGE')
  if (WRONG_TOPIC.has(type)) return final('KAFKA_TOPIC')
  if (DEFECTS.has(name)) return final('INTERNAL')
  // Brokers that are behind with their metadata say so too, so it counts only when it lasts.
  if (type === 'UNKNOWN_TOPIC_OR_PARTITION') return passing(TOPIC_GRACE_MS, fatal('KAFKA_TOPIC'))
  if (retriable === false && name === 'KafkaJSProtocolError') return passing(UNKNOWN_GRACE_MS, fatal('OUTPUT_FAILED'))
  return passing(Number.POSITIVE_INFINITY, fatal('OUTPUT_FAILED'))
}

export const isBusy = (error: unknown): boolean => kafkaFault(error, '').kind === 'busy'

export const isFenced = (error: unknown): boolean => kafkaFault(error, '').kind === 'fenced'

function innermost(error: unknown): ClientError {
  let found = error as ClientError
  for (let depth = 0; depth < 10; depth++) {
    // The wrapper copies the message; only the protocol's own error has a type.
    if (found.type !== undefined || !(found.cause instanceof Error)) return found
    found = found.cause as ClientError
  }
  return found
}

/**
 * kafka.* of the configuration as plain options for Kafka clients, and what their errors mean. Knows the shape of
 * kafkajs' options and errors, but does not import it: only sources, sinks and the topics command do.
 *
 * Nothing of what is logged here can hold a secret: of the client's log entries only known, harmless fields are kept.
 */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { MillraceError } from '../domain/errors.js'
import type { Log } from '../observe/log.js'
import type { Config } from './schema.js'

export interface KafkaConnection {
  clientId: string
  brokers: string[]
  ssl?: { ca?: string[]; cert?: string; key?: string; passphrase?: string }
  sasl?: { mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'; username: string; password: string }
  connectionTimeout: number
  authenticationTimeout: number
  requestTimeout: number
  retry: { initialRetryTime: number; maxRetryTime: number; retries: number }
  /** kafkajs' numbers: 2 is warnings and errors. */
  logLevel: number
  logCreator: () => (entry: KafkaLogEntry) => void
}

export interface KafkaLogEntry {
  namespace: string
  level: number
  log: Record<string, unknown> & { message: string }
}

const ERROR = 1
const WARN = 2
/** Fields of the client's log entries that are kept. */
const FIELDS = ['broker', 'groupId', 'memberId', 'topic', 'partition', 'error', 'retryCount', 'retryTime']
/** What is said in lines of our own, or is the normal course of retries. */
const QUIET = new Set(['Connection', 'BrokerPool', 'Cluster', 'Consumer', 'Runner'])

/** folder: of the configuration file; certificates are relative to it. observe: sees the client's own warnings too. */
export function kafkaConnection(
  config: Config['kafka'],
  folder: string,
  logger: Log,
  observe?: (entry: KafkaLogEntry) => void,
): KafkaConnection {
  const { brokers, clientId, tls, sasl } = config
  const connection: KafkaConnection = {
    clientId,
    brokers,
    connectionTimeout: 3000,
    authenticationTimeout: 10_000,
    requestTimeout: 30_000,
    retry: { initialRetryTime: 100, maxRetryTime: 2000, retries: 6 },
    logLevel: WARN,
    logCreator: () => entry => {
      observe?.(entry)
      logEntry(logger, entry)
    },
  }
  if (tls !== undefined) {
    const read = (file: string) => readPem(resolve(folder, file))
    connection.ssl = {
      ...(tls.ca === undefined ? {} : { ca: [read(tls.ca)] }),
      ...(tls.cert === undefined ? {} : { cert: read(tls.cert) }),
      ...(tls.key === undefined ? {} : { key: read(tls.key) }),
      ...(tls.passphrase === undefined ? {} : { passphrase: tls.passphrase }),
    }
  }
  if (sasl !== undefined) {
    connection.sasl = { mechanism: sasl.mechanism, username: sasl.username, password: sasl.password ?? '' }
  }
  return connection
}

function readPem(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new MillraceError('CONFIG_INVALID', `kafka.tls: ${file}: ${(cause as Error).message}`, { cause })
  }
}

function logEntry(logger: Log, { namespace, level, log }: KafkaLogEntry): void {
  const details: Record<string, unknown> = { kafka: namespace }
  for (const field of FIELDS) if (log[field] !== undefined) details[field] = textOf(log[field])
  const isQuiet = QUIET.has(namespace) || namespace.startsWith('Fetcher')
  if (level <= ERROR && !isQuiet) logger.warn(details, log.message)
  else logger.debug(details, log.message)
}

const textOf = (value: unknown) => (value instanceof Error ? value.message : value)

/** Names of protocol errors that mean: not this user, or not this user here. */
const REFUSED = /AUTHORIZATION_FAILED$|^SASL_AUTHENTICATION_FAILED$|^UNSUPPORTED_SASL_MECHANISM$|^ILLEGAL_SASL_STATE$/
const FENCED = /^(INVALID_PRODUCER_EPOCH|PRODUCER_FENCED|TRANSACTION_COORDINATOR_FENCED)$/
const TLS_CODES =
  /^(ERR_SSL|ERR_TLS|CERT_|EPROTO$|DEPTH_ZERO_SELF_SIGNED|SELF_SIGNED_CERT|UNABLE_TO_|HOSTNAME_MISMATCH|INVALID_CA)/
const TLS_ALERT = /SSL alert number \d+|certificate|wrong version number|tlsv1 alert|sslv3 alert/i

interface ClientError {
  name?: string
  message?: string
  type?: string
  code?: unknown
  cause?: unknown
  originalError?: unknown
  retriable?: boolean
}

/** What a client's error means here; MillraceErrors come back as they are. `doing` completes "while …". */
export function kafkaFault(error: unknown, doing: string): MillraceError {
  if (error instanceof MillraceError) return error
  const chain = chainOf(error)
  const message = (chain.at(-1)?.message ?? String(error)).trim()
  const said = `${message} (while ${doing})`
  const options = { cause: error }
  for (const { name, type = '', code, message = '' } of chain) {
    if (name === 'KafkaJSSASLAuthenticationError' || REFUSED.test(type)) {
      return new MillraceError('KAFKA_REFUSED', type === '' ? said : `${said}: ${type}`, options)
    }
    if ((typeof code === 'string' && TLS_CODES.test(code)) || TLS_ALERT.test(message)) {
      const alert = /SSL alert number (\d+)/.exec(message)?.[1]
      const why = alert === undefined ? `TLS: ${said}` : `TLS: ${alertText(alert)} (while ${doing})`
      return new MillraceError('KAFKA_REFUSED', why, options)
    }
    if (FENCED.test(type)) return new MillraceError('KAFKA_FENCED', said, options)
    if (type === 'INVALID_TOPIC_EXCEPTION') return new MillraceError('KAFKA_TOPIC', said, options)
    if (name === 'KafkaJSNotImplemented') return new MillraceError('KAFKA_TOPIC', said, options)
  }
  return new MillraceError('KAFKA_UNREACHABLE', said, options)
}

/** What the broker says of this client's certificate, RFC 8446 section 6.2; Java brokers mostly say 46. */
function alertText(alert: string): string {
  const reasons: Record<string, string> = {
    '45': 'it has expired',
    '46': 'it has expired, or is not by an authority that the broker knows',
    '48': 'it is not by an authority that the broker knows',
    '116': 'there is none, see kafka.tls.cert',
  }
  const reason = reasons[alert]
  const said = `the broker does not accept this client's certificate (alert ${alert})`
  return reason === undefined ? said : `${said}: ${reason}`
}

/** From the outermost to the first cause. */
function chainOf(error: unknown): ClientError[] {
  const chain: ClientError[] = []
  for (let one = error as ClientError | undefined; typeof one === 'object' && one !== null && chain.length < 10; ) {
    chain.push(one)
    one = (one.cause ?? one.originalError) as ClientError | undefined
  }
  return chain
}

/** The sections about Kafka: the cluster, topics to read, topics to write. */
import { z } from 'zod'
import { about, duration, secret } from './schema-kit.js'
import { PLACE_FORM, parsePlace } from './topic-place.js'

const password = z.string().optional()

export const kafka = z.strictObject({
  brokers: about(z.array(z.string()).min(1).default(['127.0.0.1:9092']), 'Bootstrap servers, host:port.', {
    env: 'KAFKA_BROKERS',
  }),
  clientId: about(z.string().default('millrace'), "Name of this client in the broker's logs and quotas.", {
    env: 'KAFKA_CLIENT_ID',
  }),
  tls: about(
    z
      .strictObject({
        ca: about(z.string().optional(), "File of the certificate authority (PEM). Absent: the system's."),
        cert: about(z.string().optional(), "File of the client's certificate (PEM), for mutual TLS."),
        key: about(z.string().optional(), "File of the client's key (PEM)."),
        passphrase: secret(password, 'Passphrase of the key.', 'KAFKA_SSL_KEY_PASSWORD'),
      })
      .optional(),
    "Encrypted connections. An empty section is TLS with the system's authorities.",
  ),
  sasl: about(
    z
      .strictObject({
        mechanism: about(
          z.enum(['plain', 'scram-sha-256', 'scram-sha-512']).default('scram-sha-512'),
          'How the client proves who it is.',
          { env: 'KAFKA_SASL_MECHANISM' },
        ),
        username: about(z.string().default(''), 'User name.', { env: 'KAFKA_SASL_USERNAME' }),
        password: secret(password, 'Password.', 'KAFKA_SASL_PASSWORD'),
      })
      .optional(),
    'Authentication.',
  ),
  registry: about(
    z
      .strictObject({
        url: about(z.string().default('http://127.0.0.1:8081'), "Schema registry (Confluent's REST API).", {
          env: 'SCHEMA_REGISTRY_URL',
        }),
        username: about(z.string().optional(), 'Basic authentication.', { env: 'SCHEMA_REGISTRY_USERNAME' }),
        password: secret(password, 'Password.', 'SCHEMA_REGISTRY_PASSWORD'),
      })
      .optional(),
    'Schema registry. Absent: only framings that need none.',
  ),
})

const topicPlace = z.string().refine(text => parsePlace(text) !== undefined, { error: `expected ${PLACE_FORM}` })
export const kafkaSource = z.strictObject({
  topics: about(
    z.array(z.string()).min(1),
    'Topics to read: names, or a regular expression between slashes such as /^shop\\.events\\./.',
  ),
  group: about(z.string().default('millrace'), 'Consumer group. One instance learns; others of the group stand by.', {
    env: 'KAFKA_GROUP_ID',
  }),
  from: about(
    topicPlace.default('earliest'),
    'Where to begin when neither a checkpoint nor the group has offsets: earliest, latest, an ISO time (of the messages), or offsets such as shop.events.v1/0:1200 (partitions that are not named begin with their first record).',
  ),
  until: about(
    topicPlace
      .refine(text => text !== 'earliest', { error: 'nothing lies before the earliest record' })
      .default('latest'),
    'Where a replay, an evaluation or an export ends: latest (what is there when it begins), an ISO time, or offsets; the record at that place is not read. A live run goes on.',
  ),
  framing: about(
    z.enum(['confluent', 'single-object', 'bare']).default('confluent'),
    'How Avro is wrapped: Confluent (magic 0 and schema id, or the id in headers), Avro single-object (C3 01), or nothing (then `schema` names the record of schemas/).',
  ),
  schema: about(
    z.union([z.string(), z.record(z.string(), z.string())]).optional(),
    "Framing bare or single-object: the writer's schema file (.avsc). Framing bare with several kinds of events: a file by topic, as names or patterns like those of `topics`; the first that fits counts.",
  ),
  idleTimeout: about(
    duration('2s'),
    'A partition without records for this long no longer holds up the others. The journal records when.',
  ),
  sessionTimeout: about(
    duration('10s'),
    'After so long without a heartbeat the broker gives the partitions to another instance.',
  ),
  onLostOffset: about(
    z.enum(['fail', 'jump']).default('fail'),
    'The wanted offset is out of retention: stop, or go on with the oldest record that is there and say how many were skipped.',
  ),
})

export const kafkaOutputs = z.strictObject({
  predictions: about(z.string().default('millrace.predictions.v1'), 'Topic of predictions, keyed by user.'),
  recommendations: about(
    z.string().default('millrace.recommendations.v1'),
    'Topic of ranked candidates, keyed by user.',
  ),
  metrics: about(z.string().default('millrace.metrics.v1'), 'Topic of metrics.'),
  snapshots: about(z.string().default('millrace.snapshots.v1'), 'Topic of model snapshots.'),
  journal: about(z.string().default('millrace.journal.v1'), 'Topic of the journal; one partition, never compacted.'),
  deadLetters: about(z.string().default('millrace.dlq.v1'), 'Topic of dead letters.'),
  transactionalId: about(
    z.string().default('millrace'),
    'Fences instances off: of two with the same id, only the younger can publish.',
  ),
  delivery: about(
    z.enum(['exactly-once', 'at-least-once']).default('exactly-once'),
    'exactly-once: outputs, journal and offsets in one transaction. at-least-once: cheaper, outputs may repeat after a crash.',
  ),
  commitEvery: about(duration('200ms'), 'A transaction after so long; fewer and larger ones cost less.'),
  compression: about(z.enum(['none', 'gzip', 'snappy', 'zstd']).default('none'), 'Compression of message batches.'),
  maxMessageBytes: about(
    z.int().min(10_000).default(900_000),
    "Snapshots are cut into messages of this size; below the broker's limit.",
    { unit: 'bytes' },
  ),
})

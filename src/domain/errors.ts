/**
 * One table is the error type, the docs page (docs/errors.md) and the exit-code map.
 * Retryable: retried at the one edge that knows how. Otherwise fatal: orderly stop, one log line, exit code.
 */
export const ERRORS = {
  CONFIG_INVALID: {
    exitCode: 2,
    retryable: false,
    title: 'The configuration is not valid',
    remedy: 'Correct the named line; `millrace config lint FILE` checks it, `millrace config docs` lists every key.',
  },
  USAGE: { exitCode: 2, retryable: false, title: 'The command line is not valid', remedy: 'See `millrace --help`.' },
  LOG_NOT_FOUND: {
    exitCode: 3,
    retryable: false,
    title: 'The event log is not there',
    remedy: 'Check the path, or create the log with `millrace simulate` or `millrace import`.',
  },
  LOG_CORRUPT: {
    exitCode: 3,
    retryable: false,
    title: 'A log segment can not be read',
    remedy: 'The message names the file and the last good byte; what follows it was not read.',
  },
  LOG_TAKEN: {
    exitCode: 3,
    retryable: false,
    title: 'Another process writes to the log',
    remedy:
      'A log folder that events are posted to (http.ingest) has one writer. Stop the other one, or let it post its events as well; then start again.',
  },
  IMPORT_INVALID: {
    exitCode: 3,
    retryable: false,
    title: 'The file can not be imported',
    remedy: 'The message names file, line and column; correct the mapping or the data.',
  },
  CHECKPOINT_INCOMPATIBLE: {
    exitCode: 4,
    retryable: false,
    title: 'The checkpoint was made by another configuration or version',
    remedy: 'Use the configuration that made it, or start afresh with `--fresh`.',
  },
  CHECKPOINT_CORRUPT: {
    exitCode: 4,
    retryable: false,
    title: 'The checkpoint fails its checksum',
    remedy: 'An older checkpoint is used if there is one; otherwise start afresh with `--fresh`.',
  },
  SNAPSHOT_NOT_FOUND: {
    exitCode: 4,
    retryable: false,
    title: 'No snapshot has been published',
    remedy: 'Check where the output lies; outputs.snapshotEverySteps and outputs.deltaEvery say when one is published.',
  },
  SNAPSHOT_CORRUPT: {
    exitCode: 4,
    retryable: false,
    title: 'The newest snapshot can not be reconstructed',
    remedy: 'The next full snapshot mends it; until then a reader keeps the version that it has.',
  },
  REQUEST_INVALID: {
    exitCode: 2,
    retryable: false,
    title: 'A question to the model can not be answered as it is',
    remedy: 'The message says what is wrong with it.',
  },
  LOSS_NOT_FINITE: {
    exitCode: 5,
    retryable: false,
    title: 'The loss became NaN or infinite',
    remedy:
      'The last good checkpoint is kept. Lower the learning rates, or look at the records that the message names.',
  },
  BACKEND_UNAVAILABLE: {
    exitCode: 6,
    retryable: false,
    title: 'The numeric backend can not be used',
    remedy: '`millrace doctor` says which backends work here and why the others do not.',
  },
  DISK_FULL: {
    exitCode: 7,
    retryable: false,
    title: 'No space is left on the disk',
    remedy: 'Free space and start again: work resumes from the last checkpoint.',
  },
  OUTPUT_FAILED: {
    exitCode: 7,
    retryable: false,
    title: 'An output can not be written',
    remedy: 'Check the folder and its permissions, then start again: work resumes from the last checkpoint.',
  },
  STOPPED: {
    exitCode: 0,
    retryable: false,
    title: 'Stopped before there was anything to learn',
    remedy: 'Nothing is wrong: the instance that learns goes on.',
  },
  KAFKA_UNREACHABLE: {
    exitCode: 9,
    retryable: true,
    title: 'No Kafka broker can be reached',
    remedy: 'Check kafka.brokers and that the brokers run; it is tried again until then.',
  },
  KAFKA_REFUSED: {
    exitCode: 9,
    retryable: false,
    title: 'Kafka refuses this client',
    remedy: 'The message names what is wrong: user name and password, certificate, or a missing permission (ACL).',
  },
  KAFKA_OFFSET_LOST: {
    exitCode: 9,
    retryable: false,
    title: 'Records that should be read next are out of retention',
    remedy: 'Set source.kafka.onLostOffset to jump to skip them, or restore the topic.',
  },
  KAFKA_FENCED: {
    exitCode: 9,
    retryable: false,
    title: 'Another instance with the same transactional id has taken over',
    remedy:
      'This is how failover works; if it was not meant, give the instances different outputs.kafka.transactionalId.',
  },
  KAFKA_TOPIC: {
    exitCode: 9,
    retryable: false,
    title: 'A topic is missing or is not what it should be',
    remedy: '`millrace topics check` lists what is wrong, `millrace topics create` makes what is missing.',
  },
  KAFKA_TOO_LARGE: {
    exitCode: 9,
    retryable: false,
    title: 'A record is larger than its topic takes',
    remedy:
      "Raise max.message.bytes of the topic, or lower outputs.kafka.maxMessageBytes if it exceeds the topic's limit.",
  },
  REGISTRY_FAILED: {
    exitCode: 9,
    retryable: false,
    title: 'The schema registry refuses a schema',
    remedy: 'The message names subject and reason; see kafka.registry.',
  },
  PORT_REFUSED: {
    exitCode: 10,
    retryable: false,
    title: 'A port can not be had',
    remedy:
      'Set observe.port (health and metrics) or http.port (dashboard) to another one (0: any free one), or stop what has it.',
  },
  WORKER_LOST: {
    exitCode: 8,
    retryable: false,
    title: 'The learning thread died',
    remedy: 'Start again: work resumes from the last checkpoint. If it comes back, please report it with the log.',
  },
  INTERNAL: { exitCode: 70, retryable: false, title: 'A defect in millrace', remedy: 'Please report it with the log.' },
} as const satisfies Record<string, { exitCode: number; retryable: boolean; title: string; remedy: string }>

export type ErrorCode = keyof typeof ERRORS

export class MillraceError extends Error {
  readonly code: ErrorCode
  readonly details: Record<string, unknown>

  constructor(code: ErrorCode, message: string, options: { cause?: unknown; details?: Record<string, unknown> } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'MillraceError'
    this.code = code
    this.details = options.details ?? {}
  }

  get exitCode(): number {
    return ERRORS[this.code].exitCode
  }

  get remedy(): string {
    return ERRORS[this.code].remedy
  }
}

/**
 * Events from Kafka topics, outputs to Kafka topics or files. A live run enters the consumer group and may have to stand
 * by until it is its turn; an evaluation or replay of topics reads up to their present ends in a group of its own.
 */
import { hostname } from 'node:os'
import avro from 'avsc'
import { type KafkaConnection, kafkaConnection } from '../config/kafka-connection.js'
import type { LoadedConfig } from '../config/load.js'
import type { Config } from '../config/schema.js'
import { predictionSchema, taskClasses } from '../config/task-classes.js'
import { createMessageDecoder } from '../decode/message-decoder.js'
import { createDecoderFactory } from '../decode/record-decoder.js'
import { registerOutputSchemas } from '../decode/register-schemas.js'
import type { SchemaRegistry } from '../decode/registry.js'
import { MillraceError } from '../domain/errors.js'
import type { PipelineParts } from '../pipeline/pipeline.js'
import { OutputGate, Relearning } from '../pipeline/relearning.js'
import type { Delivery } from '../sink/delivery.js'
import { createDiscardSink } from '../sink/discard.js'
import { entryOf } from '../sink/file-delivery.js'
import { createFramedEncoder } from '../sink/framed-encoder.js'
import { KafkaDelivery } from '../sink/kafka.js'
import { registerCodecs } from '../sink/kafka-codecs.js'
import { readCommitted } from '../sink/kafka-committed.js'
import { createKafkaOutputs, TOPIC_SCHEMAS } from '../sink/kafka-outputs.js'
import { PredictionEncoder } from '../sink/prediction-encoder.kernel.js'
import type { Manifest } from '../snapshot/checkpoint.js'
import { KafkaSource } from '../source/kafka.js'
import { readSchemaFile } from '../std/schema-file.js'
import { uniqueName } from '../std/unique-name.js'
import type { Closers, DecisionHandlers, Ends } from './ends.js'
import { fileDelivery } from './file-ends.js'
import { openRegistry } from './kafka-registry.js'
import type { Observation } from './observation.js'
import { observeDelivery } from './observe-delivery.js'
import { observeRegistry, observeSource } from './observe-kafka.js'
import { decisionOf, repeatJournal, unknownOf } from './repeat-journal.js'
import type { SessionOptions } from './session-options.js'
import { writerSchemas } from './writer-schemas.js'

type KafkaSourceConfig = NonNullable<Config['source']['kafka']>
type KafkaOutputsConfig = NonNullable<Config['outputs']['kafka']>

/** Magic byte and schema id before the Avro body. */
const FRAME_BYTES = 5

export async function openKafkaEnds(
  options: SessionOptions,
  topics: KafkaSourceConfig,
  observation: Observation,
  closers: Closers,
  stop: AbortSignal,
): Promise<Ends> {
  const { loaded, logger, clock } = options
  const { config, folder } = loaded
  registerCodecs()
  const connection = kafkaConnection(config.kafka, folder, logger)
  const registry = openRegistry(loaded, options, closers)
  if (registry !== undefined) {
    const unobserve = observeRegistry(registry, observation)
    closers.push(async () => unobserve())
  }
  const repeats = options.followJournal !== undefined
  const target = options.outputs === 'configured' ? config.outputs.kafka : undefined
  const { until, ...reading } = topics
  const isLive = target !== undefined || (config.source.follow && !repeats)
  let decided: DecisionHandlers | undefined
  const source = new KafkaSource({
    connection,
    ...reading,
    group: isLive ? topics.group : `${topics.group}-replay-${uniqueName()}`,
    maxFuture: config.join.maxFuture,
    decoder: createMessageDecoder({
      decoderFor: createDecoderFactory(config.source),
      framing: topics.framing,
      registry,
      ...writerSchemas(loaded, topics),
    }),
    logger,
    clock,
    onDecision: decision => decided?.merge(decision),
    onUnknownSchema: unknown => decided?.unknownSchema(unknown),
    anew: !options.resume,
    ...(isLive || repeats ? {} : { until }),
    ...(repeats ? { onLostOffset: 'fail' as const } : {}),
  })
  closers.push(() => source.close())
  const inner =
    target === undefined
      ? await fileDelivery(options)
      : await openDelivery(options, target, topics.group, connection, registry, observation, stop)
  const plain = observeDelivery(inner, observation, isLive)
  const committed = target === undefined ? undefined : plain.committed
  observeSource(source, committed, topics.sessionTimeout, observation)
  // Files are closed when the run could begin, connections in any case.
  if (target !== undefined) closers.push(() => plain.close())
  // The journal of a repetition is there already.
  const gate = new OutputGate(repeats ? { ...plain.outputs, journal: createDiscardSink() } : plain.outputs)
  const delivery: Delivery = {
    outputs: gate.outputs,
    recover: seq => plain.recover(seq),
    commit: offsets => plain.commit(offsets),
    close: target === undefined ? () => plain.close() : async () => {},
  }
  // Whoever stands by waits here, and restores nothing before it is its turn.
  await source.join(stop)
  if (source.role !== 'active') throw new MillraceError('STOPPED', 'stopped while another instance was learning')
  return {
    source,
    delivery,
    live: isLive
      ? {
          lingerMs: config.batch.linger,
          commitEveryMs: target?.commitEvery ?? config.batch.linger,
          journalsCommits: false,
        }
      : undefined,
    journalTail: { keep: async () => [], drop: async () => {}, discard: async () => {} },
    onDecision(handlers) {
      decided = handlers
    },
    async recover(parts, checkpoint) {
      if (repeats) return repeatJournal(parts, source, await committedJournal(parts, loaded, connection))
      if (target === undefined) return undefined
      return recoverFrom(parts, checkpoint, { source, delivery, gate, isFresh: !options.resume })
    },
    startOffsets: () => [...source.nextOffsets],
  }
}

/** What the live run has committed. */
async function committedJournal(
  { logger, wallClock: clock }: PipelineParts,
  loaded: LoadedConfig,
  connection: KafkaConnection,
) {
  const { source, outputs } = loaded.config
  if (source.kafka === undefined || outputs.kafka === undefined)
    throw new MillraceError('CONFIG_INVALID', `${loaded.file}: --journal needs outputs.kafka beside source.kafka`)
  const { journal: journalTopic } = outputs.kafka
  const { offsets, journal } = await readCommitted({
    connection,
    groupId: source.kafka.group,
    journalTopic,
    decodeJournal,
    logger,
    clock,
  })
  return { name: journalTopic, entries: journal, committed: offsets }
}

/** Behind the checkpoint: what the group has committed, and the journal of how that came about. */
async function recoverFrom(
  parts: PipelineParts,
  checkpoint: Manifest | undefined,
  { source, delivery, gate, isFresh }: { source: KafkaSource; delivery: Delivery; gate: OutputGate; isFresh: boolean },
): Promise<Relearning | undefined> {
  const { journal, position, logger } = parts
  const recovered = await delivery.recover(journal.seq)
  if (checkpoint !== undefined && recovered.journal.some(({ kind }) => kind === 'begin')) {
    const message = `the checkpoint of ${position.records} records is of a run before the last fresh start of its group`
    throw new MillraceError('CHECKPOINT_INCOMPATIBLE', message)
  }
  if (checkpoint === undefined) {
    if (recovered.offsets.size > 0 && !isFresh)
      logger.warn({}, 'there is no checkpoint: a new model begins at the offsets that the group has committed')
    const last = recovered.journal.at(-1)
    if (last !== undefined) journal.restore(last.seq + 1)
    return undefined
  }
  const partitions = checkpoint.partitions.map(({ name }) => name)
  const decisions = [...position.standing, ...recovered.journal.flatMap(decisionOf)]
  const added = decisions.flatMap(({ name }) => (name === undefined ? [] : [name]))
  const until = [...partitions, ...added].map(
    (name, index) => recovered.offsets.get(name) ?? position.nextOffsets[index] ?? 0n,
  )
  journal.follow(recovered.journal)
  const unknown = [...position.unknownAhead, ...recovered.journal.flatMap(unknownOf)]
  source.resume({ partitions, records: position.records, decisions, until, unknown })
  const isAhead = until.some((offset, index) => offset > (position.nextOffsets[index] ?? 0n))
  if (!isAhead && recovered.journal.length === 0) return undefined
  logger.info(
    { records: position.records, journal: recovered.journal.length },
    'learning again what was committed behind the checkpoint',
  )
  return new Relearning(recovered, gate, journal)
}

const journalType = avro.Type.forSchema(readSchemaFile('journal') as never)
const decodeJournal = (value: Buffer) => entryOf(journalType.fromBuffer(value.subarray(FRAME_BYTES)))

async function openDelivery(
  { loaded, logger, clock }: SessionOptions,
  target: KafkaOutputsConfig,
  groupId: string,
  connection: ReturnType<typeof kafkaConnection>,
  registry: SchemaRegistry | undefined,
  { metrics }: Observation,
  stop: AbortSignal,
): Promise<KafkaDelivery> {
  const { config } = loaded
  if (registry === undefined)
    throw new MillraceError(
      'CONFIG_INVALID',
      'outputs.kafka needs kafka.registry: outputs are framed with the ids of their schemas',
    )
  const names = Object.entries(TOPIC_SCHEMAS) as [keyof typeof TOPIC_SCHEMAS, string][]
  const ids = await registerOutputSchemas(
    registry.http,
    Object.fromEntries(
      names.map(([output, schema]) => [
        target[output],
        output === 'predictions' ? predictionSchema(config.tasks) : schema,
      ]),
    ),
  )
  return KafkaDelivery.open(
    {
      connection,
      groupId,
      transactionalId: target.transactionalId,
      instance: `${hostname()}-${process.pid}-${uniqueName()}`,
      delivery: target.delivery,
      compression: target.compression,
      maxMessageBytes: target.maxMessageBytes,
      outputs: createKafkaOutputs({
        name: config.name,
        topics: target,
        predictions: config.outputs.predictions,
        encoderOf: (output, topic) => createFramedEncoder(TOPIC_SCHEMAS[output], ids.get(topic) ?? 0),
        predictionEncoder: new PredictionEncoder(
          config.tasks.map(task => task.name),
          ids.get(target.predictions) ?? 0,
          taskClasses(config.tasks),
        ),
      }),
      decodeJournal,
      logger,
      clock,
      onFault: (_, reason) => metrics.increase('millrace_kafka_retries_total', 1, { reason }),
      onTransaction: result => metrics.increase('millrace_transactions_total', 1, { result }),
    },
    stop,
  )
}

/**
 * The one configuration schema. Types, JSON schema, docs/config.md and `--help` are derived from it; every leaf has a
 * default and a description, so that the docs can not drift from the code.
 */
import { z } from 'zod'
import { ROW_ENCODINGS } from '../domain/state.js'
import { LEVELS } from '../observe/log.js'
import { formatDuration } from '../std/duration.js'
import { challengers, promotion } from './challengers-schema.js'
import { drift } from './drift-schema.js'
import { embeddings } from './embeddings-schema.js'
import { evaluate } from './evaluate-schema.js'
import { gate } from './gate-schema.js'
import { http } from './http-schema.js'
import { kafka, kafkaOutputs } from './kafka-schema.js'
import { label, positiveKind } from './label-schema.js'
import { recommend } from './recommend-schema.js'
import { about, duration, name, optionalDuration } from './schema-kit.js'
import { segments } from './segments-schema.js'
import { source } from './source-schema.js'

const entity = z
  .string()
  .regex(/^(user|item)(\.[A-Za-z0-9_]+)?$/, 'expected user, item, or an attribute such as item.category')
const entities = z.union([entity.transform(one => [one]), z.array(entity).min(1).max(2)])

const task = z.strictObject({
  name: about(name, 'Name of the task in metrics and predictions.'),
  head: about(
    z.enum(['binary', 'regression', 'ordinal', 'distribution', 'categorical']).default('binary'),
    'binary: sigmoid and cross-entropy. regression: Gaussian negative log-likelihood with a running variance. ordinal: cumulative logits over the integer levels of `range`. distribution: a softmax over these levels, whose expected level is the prediction. categorical: a softmax over `label.classes` in the network; the prediction is the probability of those in `label.of`, which is all that the fast part learns. The probabilities of all classes are published beside it and judged (docs/labels.md).',
  ),
  label: about(label, 'How the label comes about.'),
  range: about(
    z.tuple([z.number(), z.number()]).optional(),
    'Lowest and highest value of the label, of tasks that are not binary. Predictions are clipped to it, labels outside it are dead letters.',
  ),
  given: about(
    name.optional(),
    'A binary task declared above that comes first, such as the click before a buy: a funnel. This label can only be positive where that one is, so the task is learned where that one happened, and the prediction is the product p(click) · p(buy given click).',
  ),
  calibration: about(
    z.literal('platt').optional(),
    'Binary tasks. platt: the logit is scaled and shifted by what came of earlier scores, learned as labels mature; the figures without it are the split `uncalibrated`. Absent: off.',
  ),
  prior: about(z.number().positive().default(1), 'How much one label of this task counts in the joint loss.'),
  segments,
  rank: about(z.number().default(1), 'Weight of this task in the rank score: the weighted sum of predicted values.'),
})

const join = z.strictObject({
  disorder: about(
    duration('10s'),
    'How far event time may run backwards before a record is late. The watermark is the highest event time seen minus this.',
  ),
  late: about(
    z.enum(['use', 'drop']).default('use'),
    'Records behind the watermark: use them as if they had come at the watermark, or drop and count them.',
  ),
  maxFuture: about(
    duration('1h'),
    'A record this far ahead of the stream time of its log does not move the clock; with several in a row agreeing, the stream did jump and they are used. See docs/guide.',
  ),
  duplicateWindow: about(
    duration('1d'),
    'How long event ids are remembered; a second record with the same id is dropped.',
  ),
  duplicateCapacity: about(z.int().min(1).default(1_000_000), 'At most so many event ids are remembered.', {
    unit: 'ids',
  }),
  maxWaiting: about(
    z.int().min(16).default(500_000),
    'At most so many impressions wait for labels; beyond it the oldest mature early and are counted.',
    { unit: 'examples' },
  ),
  organic: about(
    z.enum(['positive', 'negatives', 'funnel', 'drop']).default('drop'),
    'A positive without an impression. positive: an example of its own. negatives: the same with sampled negatives. funnel: where a task is `given` it, such as a buy given a click, an example of that task alone. drop: dropped and counted.',
  ),
  atEnd: about(
    z.enum(['mature', 'wait']).default('mature'),
    'At the end of a finite log, waiting impressions get the labels known by then, or stay waiting in the checkpoint.',
  ),
  negatives: about(z.int().min(1).max(64).default(4), 'Sampled negatives an organic positive, drawn by popularity.'),
})

const slot = z.strictObject({
  name: about(name, 'Name of the slot.'),
  from: about(
    z.string().optional(),
    'Where the value comes from: user, item, user.ATTRIBUTE, item.ATTRIBUTE, context.NAME, position, time.hour, time.weekday.',
  ),
  recent: about(
    positiveKind.or(z.literal('impression')).optional(),
    "The user's most recent items by this event, newest first.",
  ),
  bucket: about(name.optional(), 'A numeric feature by name, cut into powers of two.'),
  cross: about(
    z.array(name).min(2).max(3).optional(),
    'Names of slots declared above; their combination is the value. One of them may have several values, which gives as many combinations.',
  ),
  max: about(z.int().min(1).max(64).default(8), 'Multi-valued slots: at most so many values, pooled by their mean.', {
    unit: 'values',
  }),
  table: about(name.optional(), 'Slots that name the same table share rows. Default: the name of the slot.'),
  embed: about(z.boolean().default(true), 'Give each value an embedding row.'),
  bias: about(z.boolean().default(false), 'Give each value one bias per task (row-wise Adagrad).'),
  wide: about(z.boolean().default(false), 'Give each value one weight per task (FTRL-proximal).'),
  side: about(
    z.enum(['asking', 'answered', 'bias', 'none']).optional(),
    'Where the values stand in the fast part: asking (the user and what describes them), answered (the item, what describes it, and the user with it), bias (no factors), none (not in it). Absent: asking for user and user.ATTRIBUTE and for buckets by user, answered for item, item.ATTRIBUTE and all other buckets, none for recent, bias for the rest.',
  ),
})

const numeric = z.strictObject({
  name: about(name, 'Name of the numeric feature.'),
  from: about(z.string().optional(), 'A numeric attribute: item.price, user.age; or position.'),
  count: about(z.enum(['impression', 'click', 'buy', 'rating']).optional(), 'How many of these events `by` has had.'),
  rate: about(
    z.enum(['click', 'buy']).optional(),
    'Events per impression of the entity in `by`, shrunken to the running average.',
  ),
  mean: about(
    z.literal('rating').optional(),
    'Mean value of the ratings of the entity in `by`, as a difference to the running average, shrunken to 0.',
  ),
  since: about(
    z.enum(['impression', 'click', 'buy', 'rating']).optional(),
    'Days since the last of these events of the entity in `by`; comes with a second input: 1 if there was none.',
  ),
  by: about(entities.optional(), 'user, item, an attribute such as item.category, or a pair of them.'),
  halfLife: about(optionalDuration(), 'Counts halve after this time. Absent: counted for ever.'),
  prior: about(z.number().positive().default(10), 'Rates and means: so many imagined observations of the average.', {
    unit: 'observations',
  }),
  transform: about(z.enum(['none', 'log1p']).default('none'), 'Applied before standardising.'),
  standardise: about(
    z.boolean().default(true),
    'Subtract the running mean and divide by the running deviation, both as of the event; clipped to ±5.',
  ),
})

const features = z.strictObject({
  slots: about(z.array(slot).min(1), 'Categorical fields.'),
  numeric: about(z.array(numeric).default([]), 'Numeric fields.'),
  embeddings,
  maxEntities: about(
    z.int().min(16).default(1_000_000),
    'At most so many rows in each table of counters, recent items and profiles; the longest unused go first.',
    { unit: 'rows' },
  ),
  coldBelow: about(
    z.int().min(1).default(5),
    'A user or an item with fewer earlier events than this is cold in the metrics.',
    { unit: 'events' },
  ),
})

const fast = z.strictObject({
  enabled: about(
    z.boolean().default(true),
    'Two-speed learning: beside the network, which learns per step, a factorisation machine in closed form learns at every label, and a stack makes one prediction of both.',
  ),
  tick: about(
    duration('0s'),
    'The fast part learns at every label; with a tick, examples within one multiple of it in event time are predicted together before they are learned.',
  ),
  maxRows: about(
    z.int().min(16).default(1_000_000),
    'Hard limit of its rows; beyond it the longest unused are evicted.',
    {
      unit: 'rows',
    },
  ),
})

const rate = (value: number, description: string) => about(z.number().positive().default(value), description)

const model = z.strictObject({
  architecture: about(
    z.enum(['single-task', 'shared-bottom', 'shared-middle', 'mmoe', 'ple', 'aitm']).default('shared-bottom'),
    'single-task: a trunk per task. shared-bottom: one trunk. shared-middle: a first layer per task, the others shared. mmoe: experts and a gate per task (Ma et al. 2018). ple: one more expert of each task (Tang et al. 2020); every hidden layer is a level. aitm: tasks hand on what they know to those that are `given` them (Xi et al. 2021).',
  ),
  hidden: about(
    z.array(z.int().min(1).max(4096)).min(1).max(4).default([64, 32]),
    'Widths of the trunk, or of each expert.',
    { unit: 'units' },
  ),
  experts: about(z.int().min(2).max(16).default(4), 'Experts of mmoe, shared experts of ple.'),
  tower: about(z.int().min(1).max(1024).default(16), 'Width of each task tower.', { unit: 'units' }),
  interaction: about(
    z.enum(['none', 'fm']).default('fm'),
    'fm: the pairwise products of the slot embeddings (Rendle 2010), added to the logits and fed to the trunk.',
  ),
  funnel: about(
    z.enum(['esmm+', 'esmm']).default('esmm+'),
    'The network on tasks that are `given` another: esmm learns from the product of the probabilities alone (Ma et al. 2018); esmm+ also from the examples that got so far, which is better on every log measured.',
  ),
  dim: about(z.int().min(1).max(256).default(16), 'Length of an embedding row.', { unit: 'floats' }),
  rowStart: about(z.number().min(0).default(0.03), 'Standard deviation of new embedding rows.'),
  seed: about(z.int().min(0).default(1), 'Seed of the initial weights and of sampling.', { env: 'MILLRACE_SEED' }),
  l2: about(z.number().min(0).default(0), 'Weight decay of the dense weights, added to the gradient.'),
  clipGradient: about(z.number().min(0).default(0), 'Norm to which the dense gradient is clipped; 0 = not.'),
})

const optimizer = z.strictObject({
  dense: about(
    z
      .strictObject({
        rate: rate(0.002, 'Step size of Adam.'),
        beta1: rate(0.9, 'Decay of the mean.'),
        beta2: rate(0.999, 'Decay of the square.'),
        epsilon: rate(1e-8, 'Added to the root.'),
      })
      .prefault({}),
    'Dense weights: Adam (Kingma & Ba 2015).',
  ),
  rows: about(
    z
      .strictObject({
        rate: rate(0.05, 'Step size of row-wise Adagrad.'),
        accumulatorStart: rate(0.1, 'Start of the accumulated squared gradient.'),
        keep: about(
          z.number().min(0.9).max(1).default(0.99999),
          'The accumulator is multiplied by this at each touch, so that it never freezes.',
        ),
      })
      .prefault({}),
    'Embedding rows: one accumulator a row, gradients summed over the batch.',
  ),
  biases: about(
    z
      .strictObject({
        rate: rate(0.1, 'Step size of Adagrad on the biases per id and task.'),
        accumulatorStart: rate(1, 'Start of the accumulated squared gradient.'),
      })
      .prefault({}),
    'Biases per id and task.',
  ),
  wide: about(
    z
      .strictObject({
        alpha: rate(0.05, 'Step size.'),
        beta: rate(1, 'Smoothing of the step size.'),
        l1: about(z.number().min(0).default(0.5), 'Weights stay 0 until the evidence exceeds this.'),
        l2: about(z.number().min(0).default(1), 'Shrinkage.'),
      })
      .prefault({}),
    'Wide weights: FTRL-proximal (McMahan et al. 2013).',
  ),
})

const table = z.strictObject({
  admitAfter: about(
    z.int().min(1).max(255).default(1),
    'A value gets its row at its nth occurrence; before that it shares the row of unknown values.',
    { unit: 'occurrences' },
  ),
  expireAfter: about(optionalDuration(), 'Rows not touched for this event time are removed. Absent: never.'),
  maxRows: about(z.int().min(16).default(10_000_000), 'Hard limit; beyond it the longest unused rows are evicted.', {
    unit: 'rows',
  }),
})

const weights = z.strictObject({
  method: about(
    z
      .enum([
        'manual',
        'uncertainty',
        'dwa',
        'gls',
        'rlw',
        'famo',
        'gradnorm',
        'imtl-g',
        'mgda',
        'pcgrad',
        'cagrad',
        'rho',
      ])
      .default('manual'),
    'manual: the priors. From losses: uncertainty (Kendall et al. 2018), dwa (Liu et al. 2019), gls (Chennupati et al. 2019), rlw (random; Lin et al. 2022), famo (Liu et al. 2023; one more forward pass). From gradients at the shared representation: gradnorm (Chen et al. 2018), imtl-g (Liu et al. 2021), mgda (Sener & Koltun 2018), pcgrad (Yu et al. 2020), cagrad (Liu et al. 2021), rho (signal-to-noise from batch to batch). No adaptive method has earned to be the default: see docs/task-weights.md.',
  ),
  rate: rate(0.025, 'Step size of uncertainty, famo and gradnorm.'),
  alpha: about(z.number().min(0).default(1.5), 'gradnorm: how strongly slow tasks are favoured.'),
  bounds: about(
    z.tuple([z.number().positive(), z.number().positive()]).default([0.05, 20]),
    'An adaptive weight stays within its prior times these.',
  ),
  warmup: about(z.int().min(0).default(50), 'Steps with equal weights before adaptation starts.', { unit: 'steps' }),
})

const batch = z.strictObject({
  maxExamples: about(
    z.int().min(1).max(65_536).default(1024),
    'A step is made when so many labelled examples are there.',
    { unit: 'examples' },
  ),
  maxScores: about(
    z.int().min(1).max(65_536).default(256),
    'Waiting score requests are answered when so many are there.',
    { unit: 'examples' },
  ),
  tick: about(
    duration('1m'),
    'At each multiple of this in event time, what waits is scored and learned. Replays and live alike.',
  ),
  linger: about(
    duration('200ms'),
    'Live only (follow): what waits this long in wall-clock time is scored and learned; the journal records where.',
  ),
})

const checkpoint = z.strictObject({
  path: about(
    z.string().default('.data/checkpoints'),
    'Folder of the checkpoints. Relative to the configuration file.',
    { env: 'MILLRACE_CHECKPOINTS' },
  ),
  everyEvents: about(z.int().min(1).default(250_000), 'Checkpoint after so many records.', { unit: 'records' }),
  every: about(duration('1m'), 'Checkpoint after this wall-clock time.'),
  keep: about(z.int().min(1).max(100).default(2), 'So many checkpoints are kept.'),
})

const outputs = z.strictObject({
  path: about(
    z.string().default('.data/out'),
    'Folder of the outputs, one Avro log each. Relative to the configuration file.',
    { env: 'MILLRACE_OUTPUTS' },
  ),
  predictions: about(z.boolean().default(true), 'Write predictions.'),
  metricsEvery: about(z.int().min(100).default(10_000), 'A metric record per task after so many records of the log.', {
    unit: 'records',
  }),
  snapshotEverySteps: about(
    z.int().min(0).default(1000),
    'A full snapshot after so many steps, and at the end; 0 = only at the end.',
    { unit: 'steps' },
  ),
  deltaEvery: about(
    optionalDuration(),
    'A delta, the rows changed since the last snapshot, with the first step after so much event time; live also after so much wall-clock time. Absent: full snapshots only.',
  ),
  snapshotRows: about(
    z.enum(ROW_ENCODINGS).default('float32'),
    'Numbers of embedding rows and of the fast part in snapshots and deltas. float32: followers answer with the learner’s bits. float16, int8 (vectors; biases in float16): fewer bytes, answers that differ a little: docs/following.md has figures. Checkpoints stay exact.',
  ),
  gate,
  codec: about(z.enum(['null', 'deflate', 'snappy']).default('null'), 'Compression of the output files.'),
  kafka: about(kafkaOutputs.optional(), 'Publish to Kafka topics instead of files; events must come from topics too.'),
  segmentBytes: about(z.int().min(4096).default(134_217_728), 'A new segment file begins after so many bytes.', {
    unit: 'bytes',
  }),
})

const backend = z.strictObject({
  kind: about(
    z.enum(['auto', 'onnx', 'tfjs-node-gpu', 'tfjs-wasm', 'tfjs-cpu']).default('auto'),
    'auto: a GPU that tfjs-node-gpu really uses, else onnx, else tfjs on the CPU. `millrace doctor` says why.',
    { env: 'MILLRACE_BACKEND' },
  ),
  threads: about(
    z.int().min(1).max(64).default(1),
    'Threads of one step. Results are the same bytes only for the same number.',
    { unit: 'threads' },
  ),
})

const log = z.strictObject({
  level: about(z.enum(LEVELS).default('info'), 'Lowest level that is logged.', { env: 'MILLRACE_LOG_LEVEL' }),
})

const observe = z.strictObject({
  host: about(
    z.string().default('127.0.0.1'),
    'Address of /livez, /readyz and /metrics. Whoever may connect may read; 0.0.0.0 in a container.',
    { env: 'MILLRACE_OBSERVE_HOST' },
  ),
  port: about(
    z.int().min(0).max(65_535).optional(),
    'Their port; 0: any free one. Absent: live runs take 9464, or a free one where that is taken, and say which; others have none.',
    { env: 'MILLRACE_OBSERVE_PORT' },
  ),
})

export const configSchema = z.strictObject({
  name: about(z.string().default('millrace'), 'Name of this learner in outputs and reports.'),
  kafka: about(kafka.prefault({}), 'The Kafka cluster and its schema registry, for source.kafka and outputs.kafka.'),
  source: about(source.prefault({}), 'Where events come from.'),
  tasks: about(z.array(task).min(1).max(16), 'What is learned.'),
  join: about(join.prefault({}), 'How positives meet impressions, in event time.'),
  features: about(features, 'What the model sees of an impression, as of its arrival.'),
  model: about(model.prefault({}), 'The network.'),
  fast: about(fast.prefault({}), 'The part that learns at every label.'),
  optimizer: about(optimizer.prefault({}), 'How weights move.'),
  table: about(table.prefault({}), 'Which values have rows.'),
  weights: about(weights.prefault({}), 'How tasks are weighed against each other.'),
  batch: about(batch.prefault({}), 'When a step is made.'),
  recommend: about(
    recommend.optional(),
    'Top-N over the whole catalogue: answers to score requests without candidates, and the metrics of the next item. Absent: off.',
  ),
  drift: about(drift.prefault({}), 'Alarms when the losses of a task rise, and what is done then.'),
  challengers,
  promotion: about(promotion.prefault({}), 'When a challenger takes over.'),
  checkpoint: about(checkpoint.prefault({}), 'Private state for resuming.'),
  outputs: about(outputs.prefault({}), 'What is published.'),
  evaluate: about(evaluate.prefault({}), 'How a replay is judged.'),
  backend: about(backend.prefault({}), 'What computes.'),
  log: about(log.prefault({}), 'Logging.'),
  observe: about(observe.prefault({}), 'Health and metrics of a running instance.'),
  http: about(http.prefault({}), 'The dashboard and the HTTP API.'),
})

export type Config = z.output<typeof configSchema>
export type ConfigInput = z.input<typeof configSchema>
export type TaskConfig = Config['tasks'][number]
export type SlotConfig = Config['features']['slots'][number]
export type NumericConfig = Config['features']['numeric'][number]

/** Milliseconds back to the text that the file would hold. */
export const durationText = formatDuration

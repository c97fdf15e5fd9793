/** The parts of a pipeline, freshly made and joined to each other: what stands between a source, a learner and a delivery. */
import { Batcher } from '../batch/batcher.js'
import type { LoadedConfig } from '../config/load.js'
import type { Config } from '../config/schema.js'
import { Laboratory } from '../evaluate/laboratory.js'
import { RetrievalMetrics } from '../evaluate/retrieval.js'
import { ExampleColumns } from '../features/columns.js'
import { FeatureExtractor } from '../features/extract.js'
import { DuplicateFilter } from '../join/duplicates.js'
import { Joiner, type JoinPorts } from '../join/join.js'
import { createLabelCheck } from '../join/label-range.js'
import { StreamClock } from '../join/watermark.js'
import { columnsOf } from '../learn/columns-of.js'
import type { Contest } from '../pipeline/contest.js'
import { type Counts, increment } from '../pipeline/counts.js'
import { type DispatchDeps, Dispatcher } from '../pipeline/dispatch.js'
import { Journal } from '../pipeline/journal.js'
import type { LearnerPort, MetricsAnswer } from '../pipeline/learner.js'
import type { PipelineParts } from '../pipeline/pipeline.js'
import { Position } from '../pipeline/position.js'
import { publishMain } from '../pipeline/publish-main.js'
import { RANKERS, type Ranker } from '../recommend/rankers.kernel.js'
import { type OnRank, Recommender } from '../recommend/recommender.js'
import type { Outputs } from '../sink/delivery.js'
import type { Source } from '../source/source.js'
import type { Clock } from '../std/clock.js'
import { Hasher } from '../std/hash.js'
import { heldRecord } from './held-record.js'

export interface WiringDeps {
  loaded: LoadedConfig
  source: Source
  learner: LearnerPort
  contest: Contest | undefined
  outputs: Outputs
  /** Whether snapshots are wanted. A run that writes nothing finds out what `evaluate` asks beside. */
  publishes: boolean
  clock: Clock
  onMetrics(answer: MetricsAnswer, records: number, eventTimeMs: number): void
  onAlarm: DispatchDeps['onAlarm']
  onVerdict: DispatchDeps['onVerdict']
  onPromotion: DispatchDeps['onPromotion']
}

export type WiredParts = Pick<
  PipelineParts,
  | 'config'
  | 'source'
  | 'clock'
  | 'labelFault'
  | 'duplicates'
  | 'features'
  | 'columns'
  | 'joiner'
  | 'batcher'
  | 'dispatcher'
  | 'contest'
  | 'topN'
  | 'journal'
  | 'position'
  | 'counts'
> & { laboratory: Laboratory | undefined }

export function wireParts({
  loaded,
  source,
  learner,
  contest,
  outputs,
  publishes,
  clock,
  onMetrics,
  onAlarm,
  onVerdict,
  onPromotion,
}: WiringDeps): WiredParts {
  const { config, hash } = loaded
  const hasher = new Hasher()
  const tracksChanges = publishes && config.outputs.deltaEvery !== undefined
  const features = new FeatureExtractor(config.features, hasher, config.fast.enabled, tracksChanges, config.tasks)
  const columns = new ExampleColumns(
    columnsOf(config, features.layout),
    buffer => learner.addSlab(buffer),
    contest?.size,
  )
  const position = new Position()
  const counts: Counts = { events: {}, drops: {}, rejects: {} }
  const journal: Journal = new Journal(record => dispatcher.inOrder(() => outputs.journal.append(record)), position)
  const batcher = new Batcher(config.batch, config.tasks.length, clock, config.fast.enabled ? config.fast : undefined)
  const rankers = rankersOf(config, !publishes)
  const { interval, baselines, policy } = config.evaluate
  const laboratory =
    !publishes && (interval !== 'none' || baselines || policy !== undefined)
      ? new Laboratory(config, rankers, { hasher, columns })
      : undefined
  const topN = createTopN(config, rankers, hasher, position, tracksChanges, laboratory)
  const dispatcher: Dispatcher = new Dispatcher({
    config,
    configHash: hash,
    columns,
    batcher,
    learner,
    contest,
    outputs,
    journal,
    position,
    retrieval: topN?.metrics,
    laboratory,
    published: publishes ? kind => publishMain(kind, features, topN?.recommender) : undefined,
    partitionName: index => source.partitions[index] ?? '',
    onMetrics,
    onAlarm,
    onVerdict,
    onPromotion,
  })
  const ports: JoinPorts = {
    arrive(subject, score) {
      const row = columns.allocate()
      features.extract(subject, columns, row, true)
      dispatcher.expect(row, subject)
      laboratory?.arrive(row, subject)
      if (score) batcher.addScore(row)
      return row
    },
    mature(row, labels, mask, fresh, impressionTimeMs) {
      batcher.addExample(row, labels, mask, fresh, impressionTimeMs)
      laboratory?.mature(row, labels, mask)
      if (batcher.learnDue) dispatcher.flush('count')
    },
    release: row => dispatcher.release(row),
    drop: (reason, count) => increment(counts.drops, reason, count),
  }
  const joiner = new Joiner(config.tasks, config.join, hasher, config.model.seed, ports, features)
  return {
    config,
    source,
    clock: new StreamClock(config.join, heldRecord),
    labelFault: createLabelCheck(config.tasks),
    duplicates: new DuplicateFilter(config.join, hasher),
    features,
    columns,
    joiner,
    batcher,
    dispatcher,
    contest,
    topN,
    journal,
    position,
    counts,
    laboratory,
  }
}

function createTopN(
  { recommend, model, evaluate }: Config,
  rankers: readonly Ranker[],
  hasher: Hasher,
  position: Position,
  tracksChanges: boolean,
  laboratory: Laboratory | undefined,
): PipelineParts['topN'] {
  if (recommend === undefined) return undefined
  const metrics = new RetrievalMetrics(rankers)
  const onRank: OnRank = ({ ranker, split, rank, lo, hi, eventTimeMs }) => {
    const { after } = evaluate
    const counts = after === 0 || eventTimeMs >= position.firstEventTimeMs + after
    metrics.add(ranker, split, rank, counts)
    if (counts && split === 'all') laboratory?.ranked(ranker, rank, lo, hi, eventTimeMs)
  }
  const judges = { ...recommend, baselines: rankers.length > 1 }
  return { recommender: new Recommender(judges, hasher, model.seed, onRank, tracksChanges), metrics }
}

/** Those that are judged, the model's own first. */
function rankersOf({ recommend, evaluate }: Config, investigates: boolean): readonly Ranker[] {
  if (recommend === undefined) return []
  return recommend.baselines || (investigates && evaluate.baselines) ? RANKERS : RANKERS.slice(0, 1)
}

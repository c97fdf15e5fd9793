/**
 * Composition root of everything that learns from a log: configuration → wired parts → a run of the pipeline → what it
 * came to. `run`, `replay` and `evaluate` differ only in the outputs and in whether they resume.
 *
 * Closing is last in, first out, also after a failure; the worker is always terminated.
 */
import { resolve } from 'node:path'
import { tensorflowEnvironment } from '../backend/tensorflow-environment.js'
import { setEnvironment } from '../config/load.js'
import type { Findings } from '../evaluate/laboratory.js'
import type { JoinStats } from '../join/join.js'
import type { MaturityPoint } from '../join/label-ages.js'
import type { Counts } from '../pipeline/counts.js'
import { type AlarmPoint, History, type HistoryPoint } from '../pipeline/history.js'
import type { CalibrationCurve, MetricsAnswer } from '../pipeline/learner.js'
import { Pipeline, type PipelineParts } from '../pipeline/pipeline.js'
import type { Position } from '../pipeline/position.js'
import { Promotions } from '../pipeline/promotions.js'
import { beginSession } from './begin.js'
import { checkpointSession } from './checkpointing.js'
import { withClosers } from './closers.js'
import type { Closers } from './ends.js'
import { assertWritable } from './file-outputs.js'
import { Observation } from './observation.js'
import { observeChallengers } from './observe-challengers.js'
import { observeAlarm, observeHistory } from './observe-dashboard.js'
import { observeVerdicts } from './observe-gate.js'
import { observeIngest } from './observe-ingest.js'
import { observeLearner } from './observe-learner.js'
import { observeCheckpoints, observeFigures, observeParts } from './observe-parts.js'
import { openEnds } from './open-ends.js'
import type { SessionOptions } from './session-options.js'
import { startLearners } from './start-learners.js'
import { ThroughputLog } from './throughput.js'
import { wireParts } from './wiring.js'

export interface SessionResult {
  backend: string
  partitions: readonly string[]
  /** Records read in this run; `position` counts all runs. */
  records: number
  position: Position
  durationMs: number
  resumeMs: number
  steps: number
  counts: Counts
  join: JoinStats
  /** Per task. */
  maturity: MaturityPoint[][]
  history: readonly HistoryPoint[]
  alarms: readonly AlarmPoint[]
  metrics: MetricsAnswer
  /** Name of what answered at the end: the configuration, or a challenger that was promoted. */
  answering: string
  /** By hash of the configuration. */
  challengers: ReadonlyMap<string, Pick<History, 'points'>>
  calibration: CalibrationCurve[]
  throughput: { records: number; elapsedMs: number }[]
  /** Of an evaluation that asked for more than totals. */
  findings: Findings | undefined
}

export async function learnLog(options: SessionOptions, stop: AbortSignal): Promise<SessionResult> {
  return withClosers(async closers => {
    const observation = new Observation(options.clock, stop, options.telemetry)
    // First, so that it is closed last: an instance that stands by, or stops, is seen as well.
    closers.push(await observation.serve(options))
    if (options.ingest !== undefined) observeIngest(options.ingest, observation)
    return runSession(options, observation, closers, stop).catch(error => {
      observation.fail(error)
      throw error
    })
  })
}

async function runSession(
  options: SessionOptions,
  observation: Observation,
  closers: Closers,
  stop: AbortSignal,
): Promise<SessionResult> {
  const { loaded, clock, logger } = options
  const { config } = loaded
  const root = options.outputs === 'discard' ? undefined : resolve(loaded.folder, config.checkpoint.path)
  if (root !== undefined) await assertWritable(root)
  const ends = await openEnds(options, observation, closers, stop)
  const { source, delivery } = ends
  observation.enter('restoring')
  setEnvironment(tensorflowEnvironment(config.backend.threads))
  const { learner: started, contest } = await startLearners(options, closers)
  const learner = observeLearner(started, loaded, observation)
  logger.debug({ backend: learner.backend }, 'the learning worker is ready')

  const history = new History()
  const challengers = observeChallengers(observation, loaded, learner.backend, logger)
  const onFigures = observeFigures(observation)
  let metrics: MetricsAnswer | undefined
  const wired = wireParts({
    loaded,
    source,
    learner,
    contest,
    outputs: delivery.outputs,
    publishes: root !== undefined,
    clock,
    onMetrics(answer, records, eventTimeMs) {
      if (answer.deepRestarts > (metrics?.deepRestarts ?? 0)) {
        const { step, deepRestarts } = answer
        logger.error(
          { step, deepRestarts },
          'the network is lost: its loss was no number; it starts afresh, and the fast part answers meanwhile',
        )
      }
      metrics = answer
      history.add(answer, records, eventTimeMs)
      onFigures(answer, records, eventTimeMs)
      challengers.onFigures(answer, records)
    },
    onAlarm(alarm, { events, eventTime }) {
      const point = { ...alarm, records: events, eventTimeMs: eventTime }
      history.addAlarm(point)
      observeAlarm(observation, point)
      // The gate says itself what comes of it.
      if (alarm.detector.startsWith('gate-')) return
      logger.warn({ ...alarm, records: events, eventTime: new Date(eventTime).toISOString() }, 'the log has drifted')
    },
    onVerdict: observeVerdicts(observation, logger),
    onPromotion: challengers.onPromotion,
  })
  const { position, dispatcher, journal, counts, joiner } = wired
  ends.onDecision({
    merge: decision => journal.decision(dispatcher.steps, decision),
    unknownSchema: unknown => journal.unknownSchema(dispatcher.steps, unknown),
  })
  const startedMs = clock.monotonicMs()
  const throughput = new ThroughputLog(clock, startedMs)
  const parts: PipelineParts = {
    ...wired,
    delivery,
    promotions: new Promotions(),
    relearning: undefined,
    repeatsTo: undefined,
    live: ends.live,
    wallClock: clock,
    logger,
    async checkpoint() {},
    onProgress(records, share) {
      options.onProgress(records, share)
      observation.share = share ?? null
      throughput.add(records)
    },
  }
  if (root !== undefined) {
    const observed = observeCheckpoints(root, observation)
    const { journalTail } = ends
    parts.checkpoint = () => observed(() => checkpointSession({ root, loaded, learner, parts, history, journalTail }))
  }

  options.onWired?.(parts)
  await beginSession({ loaded, root, resume: options.resume, ends, learner, parts, history }, closers)
  observeParts(parts, observation)
  observeHistory(observation, history)
  observation.enter('learning')
  if (contest !== undefined)
    options.board?.open({ contest, promotions: ends.live === undefined ? undefined : parts.promotions })
  const recordsBefore = position.records
  const resumeMs = clock.monotonicMs() - startedMs

  await new Pipeline(parts).run(stop).finally(() => parts.promotions.close())
  observation.enter('stopping')
  if (metrics === undefined) {
    metrics = await learner.metrics()
    metrics.totals.push(...(parts.topN?.metrics.totals() ?? []))
  }
  return {
    backend: learner.backend,
    partitions: source.partitions,
    records: position.records - recordsBefore,
    position,
    durationMs: clock.monotonicMs() - startedMs,
    resumeMs,
    steps: dispatcher.steps,
    counts,
    join: joiner.stats(),
    maturity: joiner.maturity(),
    history: history.points,
    alarms: history.alarms,
    metrics,
    answering: contest?.answering.name ?? config.name,
    challengers: history.challengers,
    calibration: await learner.calibration(),
    throughput: throughput.points,
    findings: wired.laboratory?.findings(),
  }
}

/**
 * Composition root of everything that learns from a log: configuration → wired parts → a run of the pipeline → what it
 * came to. `run`, `replay` and `evaluate` differ only in the outputs and in whether they resume.
 *
 * Closing is last in, first out, also after a failure; the worker is always terminated.
 */
import { resolve } from 'node:path'
import { tensorflowEnvironment } from '../backend/tensorflow-environment.js'
import { setEnvironment } from '../config/load.js'
import type { JoinStats } from '../join/join.js'
import { WorkerLearner } from '../learn/worker-client.js'
import { saveParts } from '../pipeline/commit.js'
import type { Counts } from '../pipeline/counts.js'
import { History, type HistoryPoint } from '../pipeline/history.js'
import type { CalibrationCurve, MetricsAnswer } from '../pipeline/learner.js'
import { Pipeline, type PipelineParts } from '../pipeline/pipeline.js'
import type { Position } from '../pipeline/position.js'
import { checkpointName, removeCheckpoints, writeCheckpoint } from '../snapshot/checkpoint.js'
import { writePart } from '../snapshot/part-file.js'
import { withClosers } from './closers.js'
import { assertWritable } from './file-outputs.js'
import { openEnds } from './open-ends.js'
import { checkPartitions, loadCheckpoint, newestWhole } from './restore.js'
import type { SessionOptions } from './session-options.js'
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
  history: readonly HistoryPoint[]
  metrics: MetricsAnswer
  calibration: CalibrationCurve[]
  throughput: { records: number; elapsedMs: number }[]
}

export async function learnLog(options: SessionOptions, stop: AbortSignal): Promise<SessionResult> {
  const { loaded, clock, logger } = options
  const { config } = loaded
  return withClosers(async closers => {
    const checkpointRoot = resolve(loaded.folder, config.checkpoint.path)
    const publishes = options.outputs === 'files'
    if (publishes) await assertWritable(checkpointRoot)
    const ends = await openEnds(options, closers, stop)
    const { source, delivery } = ends
    setEnvironment(tensorflowEnvironment(config.backend.threads))
    const learner = await (options.startLearner ?? WorkerLearner.start)(config)
    closers.push(() => learner.close())
    logger.debug({ backend: learner.backend }, 'the learning worker is ready')

    const history = new History()
    let metrics: MetricsAnswer | undefined
    const wired = await wireParts({
      loaded,
      source,
      learner,
      outputs: delivery.outputs,
      clock,
      onMetrics(answer, records, eventTimeMs) {
        metrics = answer
        history.add(answer, records, eventTimeMs)
      },
    })
    const { position, dispatcher, journal, counts, joiner } = wired
    ends.onDecision(decision => journal.decision(dispatcher.steps, decision))
    const startedMs = clock.monotonicMs()
    const throughput = new ThroughputLog(clock, startedMs)
    const parts: PipelineParts = {
      ...wired,
      delivery,
      relearning: undefined,
      live: ends.live,
      wallClock: clock,
      logger,
      async checkpoint() {
        if (!publishes) return
        const name = checkpointName(position.records, position.ended)
        await writeCheckpoint(checkpointRoot, config.checkpoint.keep, name, async folder => {
          const files = await learner.save(folder)
          for (const [part, state] of Object.entries(saveParts(parts, history)))
            files.push(await writePart(folder, part, state))
          const partitions = source.partitions.map((partition, index) => ({
            name: partition,
            nextOffset: String(position.nextOffsets[index] ?? 0n),
          }))
          const { records } = position
          const { backend } = learner
          return {
            configHash: loaded.hash,
            backend,
            records,
            step: dispatcher.steps,
            journalSeq: journal.seq,
            partitions,
            parts: files,
          }
        })
        if (!journal.following) await ends.journalTail.drop()
      },
      onProgress(records, share) {
        options.onProgress(records, share)
        throughput.add(records)
      },
    }

    options.onWired?.(parts)
    const checkpoint = publishes && options.resume ? await newestWhole(checkpointRoot, loaded, logger) : undefined
    if (checkpoint !== undefined) {
      await loadCheckpoint(checkpoint, { learner, parts, history, journalTail: ends.journalTail, logger })
      logger.info(
        { folder: checkpoint.folder, records: position.records, step: dispatcher.steps },
        'resumed from a checkpoint',
      )
    }
    parts.relearning = await ends.recover(parts, checkpoint?.manifest)
    await source.open(position.nextOffsets)
    if (checkpoint === undefined) position.nextOffsets = ends.startOffsets()
    else checkPartitions(checkpoint, source.partitions)
    while (position.nextOffsets.length < source.partitions.length) position.nextOffsets.push(0n)
    // Only now: a run that can not begin leaves what earlier ones wrote as it is.
    closers.push(() => delivery.close())
    if (publishes && checkpoint === undefined) {
      await removeCheckpoints(checkpointRoot)
      await ends.journalTail.discard()
      // What a live run does depends on the journal from the first entry on, so there must be something to follow it from.
      if (ends.live !== undefined) await parts.checkpoint()
    }
    const recordsBefore = position.records
    const resumeMs = clock.monotonicMs() - startedMs

    await new Pipeline(parts).run(stop)
    metrics ??= await learner.metrics()
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
      history: history.points,
      metrics,
      calibration: await learner.calibration(),
      throughput: throughput.points,
    }
  })
}

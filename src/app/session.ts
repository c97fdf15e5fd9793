/**
 * Composition root of everything that learns from a log: configuration → wired parts → a run of the pipeline → what it
 * came to. `run`, `replay` and `evaluate` differ only in the outputs and in whether they resume.
 *
 * Closing is last in, first out, also after a failure; the worker is always terminated.
 */
import { resolve } from 'node:path'
import { tensorflowEnvironment } from '../backend/tensorflow-environment.js'
import { Batcher } from '../batch/batcher.js'
import { type LoadedConfig, setEnvironment } from '../config/load.js'
import type { Config } from '../config/schema.js'
import { createDecoderFactory } from '../decode/record-decoder.js'
import { ExampleColumns } from '../features/columns.js'
import { FeatureExtractor } from '../features/extract.js'
import { DuplicateFilter } from '../join/duplicates.js'
import { Joiner, type JoinStats } from '../join/join.js'
import { createLabelCheck } from '../join/label-range.js'
import { StreamClock } from '../join/watermark.js'
import { WorkerLearner } from '../learn/worker-client.js'
import type { Log } from '../observe/log.js'
import { saveParts } from '../pipeline/commit.js'
import type { Counts } from '../pipeline/counts.js'
import { Dispatcher } from '../pipeline/dispatch.js'
import { History, type HistoryPoint } from '../pipeline/history.js'
import { Journal } from '../pipeline/journal.js'
import type { CalibrationCurve, LearnerPort, MetricsAnswer } from '../pipeline/learner.js'
import { OUTPUT_NAMES, type Outputs } from '../pipeline/outputs.js'
import { Pipeline, type PipelineParts } from '../pipeline/pipeline.js'
import { Position } from '../pipeline/position.js'
import { checkpointName, removeCheckpoints, writeCheckpoint } from '../snapshot/checkpoint.js'
import { writePart } from '../snapshot/part-file.js'
import { AvroFileSource } from '../source/avro-file.js'
import type { Clock } from '../std/clock.js'
import { Hasher } from '../std/hash.js'
import { withClosers } from './closers.js'
import { assertWritable, createDiscardOutputs, createFileOutputs } from './file-outputs.js'
import { heldRecord } from './held-record.js'
import { JournalTail } from './journal-tail.js'
import { checkPartitions, loadCheckpoint, newestWhole } from './restore.js'

export interface SessionOptions {
  loaded: LoadedConfig
  /** Folder of the event log. */
  log: string
  /** Outputs and checkpoints as files, or nothing but the result. */
  outputs: 'files' | 'discard'
  /** Go on from the newest checkpoint, or remove the checkpoints and begin with the log's first record. */
  resume: boolean
  logger: Log
  clock: Clock
  onProgress(records: number, share: number | undefined): void
  /** Another learner than the worker thread, such as one that answers at once: what does the main thread cost alone? */
  startLearner?(config: Config): Promise<StartedLearner>
  /** The wired parts, before the first record; for measuring what each of them holds. */
  onWired?(parts: PipelineParts): void
}

interface StartedLearner extends LearnerPort {
  /** What it computes with. */
  readonly backend: string
}

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

const THROUGHPUT_EVERY_MS = 250
const MAX_THROUGHPUT_POINTS = 2000

export async function learnLog(options: SessionOptions, stop: AbortSignal): Promise<SessionResult> {
  const { loaded, clock, logger } = options
  const { config } = loaded
  return withClosers(async closers => {
    const outputFolder = resolve(loaded.folder, config.outputs.path)
    const checkpointRoot = resolve(loaded.folder, config.checkpoint.path)
    const files = options.outputs === 'files'
    if (files) for (const folder of [outputFolder, checkpointRoot]) await assertWritable(folder)
    const journalTail = new JournalTail(checkpointRoot, outputFolder)
    const decoderFor = createDecoderFactory(config.source)
    const source = new AvroFileSource({ path: options.log, follow: config.source.follow, decoderFor })
    closers.push(() => source.close())
    setEnvironment(tensorflowEnvironment(config.backend.threads))
    const learner = await (options.startLearner ?? WorkerLearner.start)(config)
    closers.push(() => learner.close())
    logger.debug({ backend: learner.backend }, 'the learning worker is ready')

    const hasher = await Hasher.create()
    const features = new FeatureExtractor(config.features, hasher)
    const { keyPlaces, dense } = features.layout
    const columns = new ExampleColumns({ keyPlaces, dense: dense.length, tasks: config.tasks.length }, buffer =>
      learner.addSlab(buffer),
    )
    const outputs = files ? createFileOutputs(outputFolder, config) : createDiscardOutputs()

    const position = new Position()
    const history = new History()
    const counts: Counts = { events: {}, drops: {}, rejects: {} }
    const journal = new Journal(record => outputs.journal.append(record), position)
    const batcher = new Batcher(config.batch, config.tasks.length, clock)
    let metrics: MetricsAnswer | undefined
    const dispatcher = new Dispatcher({
      config,
      configHash: loaded.hash,
      columns,
      batcher,
      learner,
      outputs,
      journal,
      position,
      partitionName: index => source.partitions[index] ?? '',
      onMetrics(answer, records, eventTimeMs) {
        metrics = answer
        history.add(answer, records, eventTimeMs)
      },
    })
    const joiner = new Joiner(config.tasks, config.join, hasher, config.model.seed, {
      arrive(subject, score) {
        const row = columns.allocate()
        features.extract(subject, columns, row, true)
        dispatcher.expect(row, subject)
        if (score) batcher.addScore(row)
        return row
      },
      mature(row, labels, mask, fresh, impressionTimeMs) {
        batcher.addExample(row, labels, mask, fresh, impressionTimeMs)
        if (batcher.learnDue) dispatcher.flush('count')
      },
      release: row => dispatcher.release(row),
      drop(reason, count) {
        counts.drops[reason] = (counts.drops[reason] ?? 0) + count
      },
    })

    const startedMs = clock.monotonicMs()
    const throughput: SessionResult['throughput'] = []
    const parts: PipelineParts = {
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
      journal,
      position,
      counts,
      outputs,
      wallClock: clock,
      logger,
      async checkpoint() {
        for (const name of OUTPUT_NAMES) await outputs[name].flush()
        if (!files) return
        await writeCheckpoint(
          checkpointRoot,
          config.checkpoint.keep,
          checkpointName(position.records, position.ended),
          async folder => {
            const written = await learner.save(folder)
            for (const [name, state] of Object.entries(saveParts(parts, history)))
              written.push(await writePart(folder, name, state))
            const partitions = source.partitions.map((name, index) => ({
              name,
              nextOffset: String(position.nextOffsets[index] ?? 0n),
            }))
            return {
              configHash: loaded.hash,
              backend: learner.backend,
              records: position.records,
              step: dispatcher.steps,
              journalSeq: journal.seq,
              partitions,
              parts: written,
            }
          },
        )
        if (!journal.following) await journalTail.drop()
      },
      onProgress(records, share) {
        options.onProgress(records, share)
        const elapsedMs = clock.monotonicMs() - startedMs
        const last = throughput.at(-1)
        if (throughput.length < MAX_THROUGHPUT_POINTS && elapsedMs - (last?.elapsedMs ?? 0) >= THROUGHPUT_EVERY_MS)
          throughput.push({ records, elapsedMs })
      },
    }

    options.onWired?.(parts)
    const checkpoint = files && options.resume ? await newestWhole(checkpointRoot, loaded, logger) : undefined
    if (checkpoint !== undefined) {
      await loadCheckpoint(checkpoint, { learner, parts, history, journalTail, logger })
      logger.info(
        { folder: checkpoint.folder, records: position.records, step: dispatcher.steps },
        'resumed from a checkpoint',
      )
    }
    await source.open(position.nextOffsets)
    if (checkpoint !== undefined) checkPartitions(checkpoint, source.partitions)
    while (position.nextOffsets.length < source.partitions.length) position.nextOffsets.push(0n)
    // Only now: a run that can not begin leaves what earlier ones wrote as it is.
    closers.push(() => closeOutputs(outputs))
    if (files && checkpoint === undefined) {
      await removeCheckpoints(checkpointRoot)
      await journalTail.discard()
    }
    // What a live run does depends on the journal from the first entry on, so there must be something to follow it from.
    if (config.source.follow && checkpoint === undefined) await parts.checkpoint()
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
      throughput,
    }
  })
}

async function closeOutputs(outputs: Outputs): Promise<void> {
  await withClosers(async closers => {
    // Closed in the order of OUTPUT_NAMES: the journal first.
    for (const name of OUTPUT_NAMES.toReversed()) closers.push(() => outputs[name].close())
  })
}

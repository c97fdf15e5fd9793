/**
 * The learner with somebody looking on. The promises that it returns are the learner's own: the order in which answers
 * are handled decides the model, and a wrapped promise would be settled later than its neighbours.
 */

import type { LoadedConfig } from '../config/load.js'
import { isProbability } from '../domain/heads.js'
import { traced } from '../observe/trace.js'
import type { LearnAnswer, LearnCommand, LearnerPort, ScoreCommand } from '../pipeline/learner.js'
import { LabelSpread } from '../serve/telemetry/label-spread.js'
import type { Observation } from './observation.js'
import { observeCalibration } from './observe-dashboard.js'

/** A step takes milliseconds, a checkpoint of large tables many seconds; longer is a thread that hangs. */
const HANGS_MS = 120_000
/** The dashboard's calibration curves are at most so old. */
const CALIBRATION_EVERY_MS = 2000

export function observeLearner<L extends LearnerPort & { readonly backend: string }>(
  learner: L,
  { config, hash }: LoadedConfig,
  observation: Observation,
): LearnerPort & { readonly backend: string } {
  const { metrics, health, clock, telemetry } = observation
  metrics.set('millrace_model_info', 1, { name: config.name, backend: learner.backend, config: hash })
  const joined = metrics.tally('millrace_freshness_seconds', { stage: 'joined' })
  const trained = metrics.tally('millrace_freshness_seconds', { stage: 'trained' })
  const sizes = metrics.tally('millrace_step_examples')
  const durations = metrics.tally('millrace_step_duration_seconds')
  let unanswered = 0
  let movedMs = clock.monotonicMs()
  let failure: Error | undefined
  let last: LearnAnswer | undefined
  const counted = { steps: 0, examples: 0, scores: 0 }
  const names = config.tasks.map(task => task.name)
  const spread = telemetry && new LabelSpread(names, index => !isProbability(config.tasks[index]?.head ?? ''))
  let calibratedMs = Number.NEGATIVE_INFINITY

  function ask<T>(answer: Promise<T>, then?: (answer: T) => void): Promise<T> {
    if (unanswered++ === 0) movedMs = clock.monotonicMs()
    answer.then(
      value => {
        unanswered--
        movedMs = clock.monotonicMs()
        then?.(value)
      },
      (error: Error) => {
        failure ??= error
      },
    )
    return answer
  }

  function learn(command: LearnCommand): Promise<LearnAnswer> {
    const { impressionTimesMs, rows } = command
    const beganMs = clock.monotonicMs()
    const end = traced('step', clock)
    joined.addAges(impressionTimesMs, clock.nowMs())
    return ask(learner.learn(command), answer => {
      last = answer
      end({ step: answer.step, examples: rows.length, loss: answer.loss })
      counted.steps++
      counted.examples += rows.length
      durations.add((clock.monotonicMs() - beganMs) / 1000)
      sizes.add(rows.length)
      trained.addAges(impressionTimesMs, clock.nowMs())
      spread?.add(command.labels, command.mask)
    })
  }

  function figures() {
    return ask(learner.metrics(), () => {
      observation.labelDeviations = spread?.take()
      if (telemetry === undefined || clock.monotonicMs() - calibratedMs < CALIBRATION_EVERY_MS) return
      calibratedMs = clock.monotonicMs()
      // It only looks, so its place among the commands is of no account.
      void calibration().catch(() => {})
    })
  }

  function calibration() {
    return ask(learner.calibration(), curves => observeCalibration(observation, curves))
  }

  function score(command: ScoreCommand) {
    // With the fast part on, rows that are only learned travel among those to be scored.
    const fresh = command.operations?.fresh
    counted.scores += fresh === undefined ? command.rows.length : fresh.reduce((sum, one) => sum + one, 0)
    return ask(learner.score(command))
  }

  metrics.onScrape(() => {
    metrics.set('millrace_worker_unanswered_commands', unanswered)
    metrics.advance('millrace_steps_total', counted.steps)
    metrics.advance('millrace_examples_total', counted.examples)
    metrics.advance('millrace_scores_total', counted.scores)
    if (last === undefined) return
    metrics.set('millrace_loss', last.loss)
    metrics.set('millrace_model_version', last.step)
    for (const [index, { name: task }] of config.tasks.entries()) {
      metrics.set('millrace_task_loss', last.taskLosses[index] ?? 0, { task })
      metrics.set('millrace_task_weight', last.taskWeights[index] ?? 0, { task })
    }
  })
  telemetry?.describe({ backend: learner.backend })
  telemetry?.read(() => (last === undefined ? {} : { step: last.step, loss: last.loss }))
  health.live.set('worker', () => {
    if (failure !== undefined) return { status: 'fail', text: failure.message }
    const silentMs = unanswered === 0 ? 0 : clock.monotonicMs() - movedMs
    const text = `${learner.backend}; ${unanswered} commands unanswered`
    if (silentMs < HANGS_MS) return { status: 'ok', text }
    return { status: 'fail', text: `${text}, for ${Math.round(silentMs / 1000)} s` }
  })

  return {
    backend: learner.backend,
    addSlab: buffer => learner.addSlab(buffer),
    score,
    learn,
    erase: user => ask(learner.erase(user)),
    metrics: figures,
    calibration,
    snapshot: (kind, parts) => ask(learner.snapshot(kind, parts)),
    save: folder => ask(learner.save(folder)),
    load: (folder, parts) => ask(learner.load(folder, parts)),
    close: () => learner.close(),
  }
}

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { differenceInterval, intervalOf, samplingNote } from '../../../../src/evaluate/report/intervals.js'
import { formatDifference, leaderboard } from '../../../../src/evaluate/report/leaderboard.js'
import type { RunReport } from '../../../../src/evaluate/report/report.js'
import { summariseRuns } from '../../../../src/evaluate/report/summary.js'
import { renderTerminal } from '../../../../src/evaluate/report/terminal.js'
import { Sampling } from '../../../../src/evaluate/sampling/sampling.js'
import { Random } from '../../../../src/std/random.js'
import { sampleReport } from './sample-report.js'

const sample = sampleReport()

/** 200 users, some harder than others; noise: how far the predictions are off beside that. */
function run(name: string, noise: number, users = 200, labels = 20): RunReport {
  const random = new Random(3)
  const own = new Random(noise * 1000)
  const sampling = new Sampling('user', [{ name: 'rating', kind: 'numeric' }])
  let squares = 0
  for (let user = 0; user < users; user++) {
    const hard = Math.exp(random.normal())
    for (let label = 0; label < labels; label++) {
      const error = hard * random.normal() + noise * own.normal()
      squares += error * error
      sampling.example(user, 0, 0)
      sampling.add(0, 3 + error, 3)
    }
  }
  const rmse = Math.sqrt(squares / (users * labels))
  const totals = [{ task: 'rating', split: 'all' as const, count: users * labels, positives: 0, values: { rmse } }]
  const task = { name: 'rating', head: 'regression' as const, totals, byExperience: [], calibration: [], maturity: [] }
  return { ...sample, name, tasks: [task], sampled: sampling.result() }
}

const base = run('base', 0.1)
const worse = run('worse', 0.5)

test('the interval holds the figure, and that of a difference on the same examples is much narrower', () => {
  const level = intervalOf(base, 'rating', 'rmse')
  const rmse = base.tasks[0]?.totals[0]?.values.rmse ?? 0
  assert.ok(level !== undefined && level.low < rmse && rmse < level.high)
  const difference = differenceInterval({ report: base, task: 'rating' }, { report: worse, task: 'rating' }, 'rmse')
  assert.ok(difference !== undefined && difference.low > 0)
  assert.ok(difference.high - difference.low < (level.high - level.low) / 3)
  const none = differenceInterval({ report: base, task: 'rating' }, { report: base, task: 'rating' }, 'rmse')
  assert.deepEqual(none, { low: 0, high: 0 })
})

test('runs that judged other examples are not compared', () => {
  const other = run('other', 0.1, 200, 21)
  const places = [base, other].map(report => ({ report, task: 'rating' })) as [never, never]
  assert.equal(differenceInterval(...places, 'rmse'), undefined)
})

test('a handful of users gives no interval, and says why', () => {
  const few = run('few', 0.1, 9)
  assert.equal(intervalOf(few, 'rating', 'rmse'), undefined)
  assert.match(samplingNote(few) ?? '', /^No intervals: 9 users are too few/)
  assert.match(samplingNote(run('some', 0.1, 20)) ?? '', /So few users make them too narrow\.$/)
})

test('terminal, leaderboard and JSON show the intervals', () => {
  const text = renderTerminal([base, worse], { colour: false })
  assert.match(text, /95 % interval by user/)
  assert.match(text, /what other users would give, not what another seed would/)
  const cell = leaderboard([base, worse]).find(({ name }) => name === 'worse')?.cells[0]
  assert.ok(cell)
  assert.match(formatDifference(cell), /^\+0\.\d{4} \[\+0\.\d{4}, \+0\.\d{4}\]$/)
  const summary = summariseRuns([base, worse])
  const interval = intervalOf(base, 'rating', 'rmse')
  assert.deepEqual(summary.tasks.rating?.intervals?.rmse, [interval?.low, interval?.high])
  assert.equal(summary.variants?.[1]?.tasks.rating?.differences?.rmse?.interval?.length, 2)
  assert.deepEqual(summary.interval, { by: 'user', blocks: 200, replicates: 400, level: 0.95 })
  assert.equal('sampled' in summary, false)
})

test('a baseline is no column of the leaderboard; the model is compared with it', () => {
  const [task] = base.tasks
  assert.ok(task && base.sampled && worse.sampled?.lines.rating)
  const weak = { ...task, name: 'rating.biases', baselineOf: 'rating', totals: worse.tasks[0]?.totals ?? [] }
  const lines = { ...base.sampled.lines, 'rating.biases': worse.sampled.lines.rating }
  const both = { ...base, tasks: [task, weak], sampled: { ...base.sampled, lines } }
  assert.equal(leaderboard([both, worse])[0]?.cells.length, 1)
  assert.match(renderTerminal([both], { colour: false }), /rating\.biases +RMSE .* −0\.\d{4} +\[−0\.\d{4}, −0\.\d{4}\]/)
  assert.ok((summariseRuns([both]).tasks['rating.biases']?.model?.rmse?.difference ?? 0) < 0)
})

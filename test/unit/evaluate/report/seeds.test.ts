import assert from 'node:assert/strict'
import { test } from 'node:test'
import { renderHtml } from '../../../../src/evaluate/report/html.js'
import type { RunReport } from '../../../../src/evaluate/report/report.js'
import { seedDifference, seedFigure, seedRows } from '../../../../src/evaluate/report/seeds.js'
import { summariseRuns } from '../../../../src/evaluate/report/summary.js'
import { renderTerminal } from '../../../../src/evaluate/report/terminal.js'
import { sampleReport } from './sample-report.js'

const sample = sampleReport()

function run(name: string, aucs: readonly number[]): RunReport {
  const click = sample.tasks[0]
  assert.ok(click)
  return {
    ...sample,
    name,
    tasks: [click],
    seeds: aucs.map((auc, index) => ({ seed: index + 1, figures: { click: { auc } } })),
  }
}

const near = (actual: number | undefined, expected: number) =>
  assert.ok(Math.abs((actual ?? Number.NaN) - expected) < 1e-9, `${actual}, expected ${expected}`)

const base = run('base', [0.7, 0.71, 0.72])
const other = run('other', [0.705, 0.715, 0.725])

test("the mean over seeds has Student's interval, and the difference is taken seed by seed", () => {
  const figure = seedFigure(base, 'click', 'auc')
  near(figure?.mean, 0.71)
  near(figure?.spread, 0.01)
  near(figure?.interval?.low, 0.71 - (4.303 * 0.01) / Math.sqrt(3))
  const difference = seedDifference(base, other, 'click', 'auc')
  near(difference?.mean, 0.005)
  near(difference?.interval?.low, 0.005)
  assert.deepEqual(
    seedRows([base, other]).map(({ run, task, metric, seeds }) => [run, task, metric, seeds]),
    [
      ['base', 'click', 'auc', 3],
      ['other', 'click', 'auc', 3],
    ],
  )
})

test('two seeds have no interval, one has no row, and runs of other seeds are not compared', () => {
  assert.equal(seedFigure(run('two', [0.7, 0.8]), 'click', 'auc')?.interval, undefined)
  assert.deepEqual(seedRows([run('one', [0.7])]), [])
  assert.deepEqual(seedRows([sample]), [])
  assert.equal(seedDifference(base, run('two', [0.7, 0.8]), 'click', 'auc'), undefined)
})

test('terminal, page and JSON say that these are intervals by seed', () => {
  const text = renderTerminal([base, other], { colour: false })
  assert.match(text, /other +click AUC +0\.7150 .* \+0\.0050 +\[\+0\.0050, \+0\.0050\]/)
  assert.match(text, /what another seed would give on this log, not what other users would/)
  assert.match(renderHtml([base, other]), /95 % interval by seed/)
  const summary = summariseRuns([base, other])
  assert.equal(summary.seeds?.count, 3)
  near(summary.variants?.[1]?.seeds?.tasks.click?.auc?.difference?.mean, 0.005)
})

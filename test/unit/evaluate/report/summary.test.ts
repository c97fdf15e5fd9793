import assert from 'node:assert/strict'
import { test } from 'node:test'
import { summariseRuns } from '../../../../src/evaluate/report/summary.js'
import { sampleComparison, sampleReport } from './sample-report.js'

test('a run is summed up as tasks.NAME.METRIC and eventsPerSecond', () => {
  const report = sampleReport()
  const summary = JSON.parse(JSON.stringify(summariseRuns([report])))
  assert.equal(summary.eventsPerSecond, report.eventsPerSecond)
  assert.equal(summary.tasks.click.auc, report.tasks[0]?.totals[0]?.values.auc)
  assert.equal(summary.tasks.rating.rmse, report.tasks[2]?.totals[0]?.values.rmse)
  assert.equal(summary.tasks.click.splits['cold-user'].count, report.tasks[0]?.totals[1]?.count)
  assert.deepEqual(summary.tasks.buy.maturity, { '1h': 0.5, '7d': 1 })
  assert.equal('maturity' in summary.tasks.click, false)
  assert.equal('variants' in summary, false)
})

test('figures by experience have the bands that have labels', () => {
  const report = sampleReport()
  report.tasks[0]!.byExperience.find(({ side, events }) => side === 'item' && events === '3–5')!.count = 0
  const { byExperience } = summariseRuns([report]).tasks.click!
  assert.deepEqual(Object.keys(byExperience.user), ['0', '1–2', '3–5', '6–10', '11–20', 'more than 20'])
  assert.deepEqual(Object.keys(byExperience.item), ['0', '1–2', '6–10', '11–20', 'more than 20'])
  assert.ok(byExperience.user['0']!.auc! > 0.5)
})

test('a comparison has the figures of every run, the configuration first', () => {
  const summary = summariseRuns(sampleComparison())
  assert.deepEqual(
    summary.variants?.map(({ name }) => name),
    ['shop', 'equal weights', 'mmoe'],
  )
  assert.equal(summary.name, 'shop')
})

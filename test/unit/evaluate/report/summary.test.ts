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
  assert.equal('variants' in summary, false)
})

test('a comparison has the figures of every run, the configuration first', () => {
  const summary = summariseRuns(sampleComparison())
  assert.deepEqual(
    summary.variants?.map(({ name }) => name),
    ['shop', 'equal weights', 'mmoe'],
  )
  assert.equal(summary.name, 'shop')
})

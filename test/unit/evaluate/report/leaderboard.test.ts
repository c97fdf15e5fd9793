import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatDifference, leaderboard } from '../../../../src/evaluate/report/leaderboard.js'
import type { ReportedTask, RunReport } from '../../../../src/evaluate/report/report.js'
import { sampleReport } from './sample-report.js'

const sample = sampleReport()

function run(name: string, auc: number | undefined, rmse: number): RunReport {
  const task = (task: string, head: ReportedTask['head'], values: object): ReportedTask => ({
    name: task,
    head,
    totals: [{ task, split: 'all', count: 9, positives: 1, values }],
    byExperience: [],
    calibration: [],
    maturity: [],
  })
  return {
    ...sample,
    name,
    tasks: [task('click', 'binary', auc === undefined ? {} : { auc }), task('rating', 'ordinal', { rmse })],
  }
}

test('runs are ordered by their mean rank over the tasks, AUC upwards and RMSE downwards', () => {
  const rows = leaderboard([run('base', 0.7, 0.95), run('worse', 0.69, 0.97), run('better', 0.72, 0.9)])
  assert.deepEqual(
    rows.map(({ name, meanRank, baseline }) => [name, meanRank, baseline]),
    [
      ['better', 1, false],
      ['base', 2, true],
      ['worse', 3, false],
    ],
  )
  assert.deepEqual(
    rows[0]?.cells.map(cell => [cell.task, cell.best, formatDifference(cell)]),
    [
      ['click', true, '+0.0200'],
      ['rating', true, '−0.0500'],
    ],
  )
})

test('equal values share a rank, and the order given decides between equal runs', () => {
  const rows = leaderboard([run('first', 0.7, 0.9), run('second', 0.7, 0.9)])
  assert.deepEqual(
    rows.map(({ name, meanRank }) => [name, meanRank]),
    [
      ['first', 1],
      ['second', 1],
    ],
  )
  assert.equal(formatDifference(rows[1]!.cells[0]!), '0')
})

test('a run without a figure ranks behind those that have one', () => {
  const rows = leaderboard([run('none', undefined, 0.9), run('some', 0.5, 0.9)])
  assert.equal(rows[0]?.name, 'some')
  assert.equal(rows[1]?.cells[0]?.best, false)
  assert.equal(formatDifference(rows[0]!.cells[0]!), '')
})

test('no runs make an empty leaderboard', () => {
  assert.deepEqual(leaderboard([]), [])
})

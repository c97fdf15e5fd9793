import assert from 'node:assert/strict'
import { test } from 'node:test'
import { renderHtml } from '../../../../src/evaluate/report/html.js'
import { sampleComparison, sampleReport } from './sample-report.js'

const HOSTILE = '</script><script>alert(1)</script><img src=x onerror="alert(2)">&\'\u2028'

test('names from outside can not become markup', () => {
  const report = sampleReport({ name: HOSTILE, changes: { [HOSTILE]: HOSTILE } })
  const tasks = report.tasks.map(task => ({ ...task, name: HOSTILE }))
  const hostile = { ...report, tasks, log: HOSTILE, tableRows: { [HOSTILE]: 1 } }
  const page = renderHtml([hostile, { ...hostile, name: `${HOSTILE}2` }])
  assert.equal(page.includes('<img'), false)
  assert.equal(page.includes('<script>alert'), false)
  assert.equal(page.match(/<\/script>/g)?.length, 3)
})

test('the page loads nothing from elsewhere', () => {
  const page = renderHtml(sampleComparison())
  assert.equal(/(src|href)="(?!data:)/.test(page), false)
  assert.equal(/@import|url\(/.test(page), false)
  assert.match(page, /Content-Security-Policy" content="default-src 'none'/)
})

test('the same reports give the same bytes', () => {
  assert.equal(renderHtml(sampleComparison()), renderHtml(sampleComparison()))
})

test('a run of nothing is a page without undefined figures', () => {
  const report = sampleReport()
  const empty = {
    ...report,
    tasks: report.tasks.map(task => ({ ...task, totals: [], byExperience: [], calibration: [], maturity: [] })),
    curve: [],
    weights: { steps: [], weights: {} },
    throughput: [],
    loss: { steps: [], loss: [] },
    counts: { events: {}, drops: {}, rejects: {}, outputs: {} },
    alarms: [],
    tableRows: {},
    durationsMs: {},
  }
  const body = renderHtml([empty]).split('<script')[0] ?? ''
  assert.equal(/undefined|NaN|Infinity/.test(body), false)
})

test('the page says how ids with few events fare', () => {
  const page = renderHtml([sampleReport()])
  assert.match(page, /By how many events an id had had before/)
  assert.match(page, /<th scope="row">user, 1–2<\/th>/)
})

test('every plot has its numbers as a table', () => {
  const page = renderHtml(sampleComparison())
  const plots = page.match(/data-plot="/g)?.length
  assert.equal(page.match(/<summary>The numbers<\/summary>/g)?.length, plots)
})

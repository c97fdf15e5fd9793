import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  calibrationPlot,
  learningCurves,
  lossPlot,
  type Plot,
  throughputPlot,
  weightPlots,
} from '../../../../src/evaluate/report/plots.js'
import { sampleComparison, sampleReport } from './sample-report.js'

const reports = sampleComparison()
const [base] = reports

function assertDrawable(plot: Plot): void {
  const [xs = [], ...columns] = plot.columns
  assert.equal(columns.length, plot.series.length)
  assert.ok(xs.length > 0)
  assert.ok(
    xs.every((x, index) => index === 0 || x! > xs[index - 1]!),
    'x ascends',
  )
  for (const column of columns) assert.equal(column.length, xs.length)
  assert.ok(plot.columns.flat().every(value => value === null || Number.isFinite(value)))
}

test('every plot has one ascending x and a column of the same length for each series', () => {
  const plots = [
    ...base.tasks.flatMap(task => [...learningCurves(reports, task), calibrationPlot(reports, task)]),
    ...weightPlots(reports),
    lossPlot(reports),
    throughputPlot(reports),
  ].filter(plot => plot !== undefined)
  assert.equal(plots.length, 6 + 2 + 2 + 2)
  for (const plot of plots) assertDrawable(plot)
})

test('runs of other lengths share the union of their x, with nothing where a run has no window', () => {
  const short = { ...base, name: 'short', curve: base.curve.slice(0, 1) }
  const [plot] = learningCurves([short, base], base.tasks[0]!)
  const column = plot?.columns[1] ?? []
  assert.equal(column.filter(value => value !== null).length, 1)
  assert.equal(plot?.columns[0]?.length, base.curve.length)
})

test('a long curve is thinned and keeps its last window', () => {
  const point = base.curve[0]!
  const curve = Array.from({ length: 5000 }, (_, index) => ({ ...point, events: index + 1 }))
  const [plot] = learningCurves([{ ...base, curve }], base.tasks[0]!)
  const xs = plot?.columns[0] ?? []
  assert.ok(xs.length <= 800)
  assert.equal(xs.at(-1), 5000)
})

test('groups without a positive are left off a logarithmic axis and the note says so', () => {
  const task = {
    ...base.tasks[0]!,
    calibration: [
      { meanPrediction: 0.001, observedRate: 0, count: 100, positives: 0 },
      { meanPrediction: 0.1, observedRate: 0.2, count: 100, positives: 20 },
    ],
  }
  const plot = calibrationPlot([{ ...base, tasks: [task] }], task)
  assert.equal(plot?.x.log, true)
  assert.match(plot?.note ?? '', /without a positive/)
  assert.equal(
    plot?.columns.flat().some(value => value === 0),
    false,
  )
})

test('weights that never moved have no plot, and empty curves have none either', () => {
  assert.deepEqual(
    weightPlots(reports).map(({ title }) => title),
    ['Task weights: shop', 'Task weights: mmoe'],
  )
  const empty = { ...sampleReport(), loss: { steps: [], loss: [] }, throughput: [] }
  assert.equal(lossPlot([empty]), undefined)
  assert.equal(throughputPlot([empty]), undefined)
  assert.equal(calibrationPlot(reports, base.tasks[2]!), undefined)
})

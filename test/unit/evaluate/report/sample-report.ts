/** A made-up run of a small shop: rare buys, cold splits, noise by count, weights that move in one variant. */
import { MASK_JUDGED } from '../../../../src/domain/example.js'
import { ProgressiveValidation } from '../../../../src/evaluate/progressive.js'
import type { CurvePoint, ReportedTask, RunReport } from '../../../../src/evaluate/report/report.js'
import { ITEM_BAND_SHIFT, USER_BAND_SHIFT } from '../../../../src/features/columns.js'
import { Random } from '../../../../src/std/random.js'
import { taskConfig } from '../task-config.js'

const TASKS = [taskConfig('click', 'binary'), taskConfig('buy', 'binary'), taskConfig('rating', 'regression')]
const START_MS = Date.UTC(2026, 2, 1)
const WINDOWS = 40
const ROWS = 1000

export interface SampleOptions {
  name?: string
  seed?: number
  /** How much of the truth the model has learned at the end, 0 to 1. */
  skill?: number
  adaptive?: boolean
  changes?: Record<string, unknown>
}

export function sampleReport(options: SampleOptions = {}): RunReport {
  const { name = 'shop', seed = 1, skill = 0.8, adaptive = true, changes = {} } = options
  const random = new Random(7) // the same log for every run
  const judged = new ProgressiveValidation(TASKS)
  const curve: CurvePoint[] = []
  for (let window = 0; window < WINDOWS; window++) {
    recordWindow(judged, random, skill * (1 - Math.exp(-(window + 0.5) / 6)))
    curve.push({
      events: (window + 1) * 5000,
      eventTimeMs: START_MS + (window + 1) * 18 * 3_600_000,
      tasks: judged.windowMetrics(),
    })
    judged.closeWindow()
  }
  const totals = judged.totals()
  const byExperience = judged.byExperience()
  const calibration = judged.calibration()
  const tasks = TASKS.map(
    (task): ReportedTask => ({
      name: task.name,
      head: task.head,
      totals: totals.filter(entry => entry.task === task.name),
      byExperience: byExperience.filter(entry => entry.task === task.name),
      calibration: calibration.find(entry => entry.task === task.name)?.points ?? [],
      maturity:
        task.name === 'buy'
          ? [
              { ageMs: 3_600_000, share: 0.5 },
              { ageMs: 604_800_000, share: 1 },
            ]
          : [],
    }),
  )
  const steps = Array.from({ length: 120 }, (_, index) => (index + 1) * 10)
  const weight = (end: number) => steps.map(step => (adaptive ? 1 + (end - 1) * (1 - Math.exp(-step / 300)) : 1))
  return {
    name,
    configuration: 'examples/shop.yaml',
    log: '.data/shop/log',
    backend: 'onnx: onnxruntime-node 1.30.0, cpu, 1 thread',
    changes,
    records: WINDOWS * 5000,
    steps: 1200,
    eventsPerSecond: 31_234 + seed * 500,
    durationsMs: { total: 6400, decode: 700, features: 1500, score: 1200, learn: 2300, publish: 400 },
    firstEventTimeMs: START_MS,
    lastEventTimeMs: START_MS + 30 * 86_400_000,
    countFromMs: null,
    tasks,
    curve,
    weights: { steps, weights: { click: weight(0.6), buy: weight(2.4), rating: weight(1.1) } },
    throughput: curve.map(({ events }, index) => ({
      events,
      elapsedMs: events / 30,
      eventsPerSecond: (index === 0 ? 12_000 : 30_000) + 2500 * random.normal() + seed * 500,
    })),
    loss: { steps, loss: steps.map(step => 0.42 + 0.3 * Math.exp(-step / 200) + 0.01 * random.normal()) },
    counts: {
      events: { impression: 180_120, click: 12_034, buy: 1022, rating: 3400, item: 1100, user: 2100 },
      drops: { duplicate: 140, late: 12, capacity: 0, organic: 8 },
      rejects: { undecodable: 61, 'invalid-number': 44, 'future-time': 3 },
      outputs: { predictions: 183_520, metrics: 120, 'dead-letters': 108 },
    },
    alarms: [
      {
        events: 41_000,
        eventTimeMs: START_MS + 5 * 86_400_000,
        task: 'click',
        detector: 'adwin',
        labels: 30_000,
        lossBefore: 0.061,
        lossNow: 0.083,
      },
    ],
    tableRows: { user: 2341, item: 1107, category: 42, 'user×category': 18_404 },
  }
}

function recordWindow(judged: ProgressiveValidation, random: Random, skill: number): void {
  const values = new Float32Array(ROWS * 3)
  const labels = new Float32Array(ROWS * 3)
  const mask = new Uint8Array(ROWS * 3)
  const flags = new Uint8Array(ROWS)
  for (let row = 0; row < ROWS; row++) {
    flags[row] = (random.uniform() < 0.1 ? 1 : 0) | (random.uniform() < 0.05 ? 2 : 0)
    const known = skill * (flags[row] === 0 ? 1 : 0.5)
    flags[row] = (flags[row] ?? 0) | (random.integer(6) << USER_BAND_SHIFT) | (random.integer(6) << ITEM_BAND_SHIFT)
    for (const [task, base] of [-2.3, -4.6].entries()) {
      const taste = random.normal()
      values[row * 3 + task] = logistic(base + known * taste + 0.3 * (1 - known) * random.normal())
      labels[row * 3 + task] = random.uniform() < logistic(base + taste - 0.1) ? 1 : 0
      mask[row * 3 + task] = MASK_JUDGED
    }
    const taste = random.normal() * 0.7
    values[row * 3 + 2] = 3.6 + known * taste
    labels[row * 3 + 2] = Math.min(5, Math.max(1, Math.round(3.6 + taste + 0.7 * random.normal())))
    mask[row * 3 + 2] = random.uniform() < 0.3 ? MASK_JUDGED : 0
  }
  judged.record(ROWS, values, labels, mask, flags, new Float64Array(ROWS))
}

function logistic(x: number): number {
  return 1 / (1 + Math.exp(-x))
}

/** The configuration and two variants. */
export function sampleComparison(): [RunReport, RunReport, RunReport] {
  return [
    sampleReport(),
    sampleReport({
      name: 'equal weights',
      seed: 2,
      skill: 0.7,
      adaptive: false,
      changes: { 'weights.method': 'manual' },
    }),
    sampleReport({ name: 'mmoe', seed: 3, skill: 0.95, changes: { 'model.architecture': 'mmoe', 'model.experts': 4 } }),
  ]
}

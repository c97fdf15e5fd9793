import type { ConfigInput } from '../../src/config/schema.js'

/** A small model with every kind of state: three heads, two windows, adaptive weights, wide weights, shared rows, rates. */
export const smallConfig = {
  name: 'small',
  source: { log: 'log' },
  tasks: [
    { name: 'click', head: 'binary', label: { event: 'click', window: '30m' } },
    { name: 'buy', head: 'binary', label: { event: 'buy', window: '1d' }, calibration: 'platt' },
    { name: 'rating', head: 'regression', label: { event: 'rating' }, range: [1, 5] },
  ],
  join: { disorder: '5m' },
  features: {
    slots: [
      { name: 'user', from: 'user', bias: true },
      { name: 'item', from: 'item', bias: true, wide: true },
      { name: 'category', from: 'item.category', max: 1 },
      { name: 'recent', recent: 'click', max: 3, table: 'item' },
    ],
    numeric: [
      { name: 'price', from: 'item.price', transform: 'log1p' },
      { name: 'item-ctr', rate: 'click', by: 'item', halfLife: '7d', prior: 50 },
      { name: 'pair-clicks', count: 'click', by: ['user', 'item'], transform: 'log1p' },
      { name: 'idle', since: 'click', by: 'user', transform: 'log1p' },
      { name: 'item-rating', mean: 'rating', by: 'item', prior: 5 },
    ],
  },
  model: { hidden: [16], dim: 8, tower: 8, architecture: 'mmoe', experts: 2 },
  weights: { method: 'gradnorm' },
  batch: { maxExamples: 128, tick: '1h' },
  recommend: { tick: '1h', baselines: true, fusion: { method: 'stack' } },
  drift: { detectors: ['adwin', 'page-hinkley', 'e-detector'], threshold: 3, boost: 2, boostSteps: 20 },
  checkpoint: { path: 'checkpoints' },
  outputs: { path: 'out', metricsEvery: 2000, snapshotEverySteps: 50, deltaEvery: '12h' },
  evaluate: { report: 'report.html' },
} satisfies ConfigInput

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LoadedState } from '../../../src/domain/state.js'
import { RetrievalMetrics } from '../../../src/evaluate/retrieval.js'

test('recall, discounted gain and reciprocal rank are means over all events, misses included', () => {
  const metrics = new RetrievalMetrics(['model', 'popularity'])
  for (const rank of [1, 3, 10, 11, Number.POSITIVE_INFINITY]) metrics.add('model', 'all', rank, true)
  const [all] = metrics.totals()
  assert.equal(all?.task, 'next-item')
  assert.deepEqual([all?.count, all?.positives], [5, 3])
  const gain = (1 + 1 / Math.log2(4) + 1 / Math.log2(11)) / 5
  assert.ok(Math.abs((all?.values.recallAt10 ?? 0) - 0.6) < 1e-12)
  assert.ok(Math.abs((all?.values.ndcgAt10 ?? 0) - gain) < 1e-12)
  assert.ok(Math.abs((all?.values.mrr ?? 0) - (1 + 1 / 3 + 1 / 10 + 1 / 11) / 5) < 1e-12)
})

test('what does not count yet is in the window only; closing the window begins anew; state comes back', () => {
  const metrics = new RetrievalMetrics(['model'])
  metrics.add('model', 'all', 1, false)
  assert.equal(metrics.windowMetrics()[0]?.count, 1)
  assert.deepEqual(metrics.totals()[0]?.values, {})
  metrics.closeWindow()
  assert.equal(metrics.windowMetrics()[0]?.count, 0)
  metrics.add('model', 'repeated', 2, true)
  const copy = new RetrievalMetrics(['model'])
  copy.loadState(metrics.saveState() as LoadedState)
  assert.deepEqual(copy.totals(), metrics.totals())
})

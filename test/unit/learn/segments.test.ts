import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ITEM_BAND_SHIFT, USER_BAND_SHIFT } from '../../../src/features/columns.js'
import { Segments } from '../../../src/learn/segments.kernel.js'
import { taskConfig } from '../evaluate/task-config.js'

test('a label counts by the bands of its user and its item, each task by its own factors', () => {
  const segments = new Segments([
    { ...taskConfig('click', 'binary'), segments: { user: [3, 2, 1, 1, 1, 0], item: [1, 1, 1, 1, 1, 0.5] } },
    taskConfig('rating', 'regression'),
  ])
  const flags = [
    [0, 0],
    [1, 5],
    [5, 2],
  ].map(([user = 0, item = 0]) => (user << USER_BAND_SHIFT) | (item << ITEM_BAND_SHIFT) | 3)
  assert.deepEqual([...segments.factors(Uint8Array.from(flags), 3)], [3, 1, 1, 1, 0, 1])
})

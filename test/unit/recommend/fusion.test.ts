import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TaskConfig } from '../../../src/config/schema.js'
import { MASK_JUDGED } from '../../../src/domain/example.js'
import { Fusion } from '../../../src/recommend/fusion.js'
import { Random } from '../../../src/std/random.js'
import { taskConfig } from '../evaluate/task-config.js'

const tasks: TaskConfig[] = [
  { ...taskConfig('click', 'binary'), rank: 1 },
  { ...taskConfig('stars', 'regression'), range: [1, 5], rank: 0.5 },
]
// [candidates, tasks]
const values = Float32Array.of(0.4, 1.5, 0.3, 5, 0.2, 4, 0.1, 2)
const retrieval = Float64Array.of(0, 1, 2, 3)

function order(method: 'retrieval' | 'sum' | 'product' | 'cascade' | 'stack', logits?: Float64Array): number[] {
  const scores = new Fusion(tasks, { method, candidates: 100, retrieval: 1, keep: 0.5 }).rank(values, 4, logits)
  return [0, 1, 2, 3].sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0))
}

test('each method has its own order', () => {
  assert.deepEqual(order('retrieval', retrieval), [3, 2, 1, 0])
  assert.deepEqual(order('retrieval'), order('sum'))
  assert.deepEqual(order('sum'), [1, 2, 0, 3])
  // 0.3·1, 0.2·√0.75, 0.4·√0.125, 0.1·√0.25
  assert.deepEqual(order('product'), [1, 2, 0, 3])
  // Clicks keep 0 and 1, of which 1 has more stars; then those that were dropped, by clicks.
  assert.deepEqual(order('cascade'), [1, 0, 2, 3])
  assert.deepEqual(order('stack'), [0, 1, 2, 3])
})

test('the stack learns how far another head helps, and its state comes back', () => {
  const config = { method: 'stack', candidates: 100, retrieval: 1, keep: 0.5 } as const
  const fusion = new Fusion(tasks, config)
  const random = new Random(1)
  for (let n = 0; n < 5000; n++) {
    const stars = 1 + 4 * random.uniform()
    // What the click head does not know: many stars are clicked.
    const label = random.uniform() < (stars > 3 ? 0.8 : 0.1) ? 1 : 0
    fusion.learn(1, Float32Array.of(0.4, stars), Float32Array.of(label, 0), Uint8Array.of(MASK_JUDGED, 0))
  }
  const [few = 0, many = 0] = fusion.rank(Float32Array.of(0.4, 1.5, 0.35, 4.5), 2, undefined)
  assert.ok(many > few + 1, `${few} ${many}`)
  const copy = new Fusion(tasks, config)
  copy.fromJson(JSON.parse(JSON.stringify(fusion.toJson())))
  assert.deepEqual(copy.rank(values, 4, undefined), fusion.rank(values, 4, undefined))
})

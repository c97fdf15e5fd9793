import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TaskConfig } from '../../../src/config/schema.js'
import { SLAB_ROWS } from '../../../src/features/columns.js'
import { Segments } from '../../../src/learn/segments.kernel.js'
import { featuresOf, impression, profile, subject } from '../../helpers/features.js'
import { taskConfig } from '../evaluate/task-config.js'

type Wanted = NonNullable<TaskConfig['segments']>

async function createExamples(...segments: Wanted[]) {
  const features = await featuresOf({
    slots: [
      { name: 'item', from: 'item' },
      { name: 'genre', from: 'item.genres', max: 3 },
      { name: 'device', from: 'context.device' },
    ],
  })
  const { columns, extractor } = features
  const tasks = segments.map((one, at) => ({ ...taskConfig(`task-${at}`, 'binary'), segments: one }))
  const kernel = new Segments([...tasks, taskConfig('plain', 'regression')], extractor.layout)
  return {
    ...features,
    /** Factors of all tasks but the plain one, whose are 1. */
    factors(of: Parameters<typeof subject>[0]): number[] {
      const row = columns.allocate()
      extractor.extract(subject(of), columns, row, true)
      const slabs = Array.from({ length: Math.floor(row / SLAB_ROWS) + 1 }, (_, at) => columns.slab(at * SLAB_ROWS))
      const [plain, ...others] = [...kernel.factors(slabs, Int32Array.of(row))].reverse()
      assert.equal(plain, 1)
      return others.reverse()
    },
  }
}

test('a label counts by the bands of its user and its item, each task by its own factors', async () => {
  const examples = await createExamples(
    { user: [3, 2, 1, 1, 1, 0], item: [1, 1, 1, 1, 1, 0.5] },
    { item: [4, 1, 1, 1, 1, 1] },
  )
  assert.deepEqual(examples.factors({}), [3, 4])
  examples.observe(impression())
  assert.deepEqual(examples.factors({}), [2, 1])
  for (let events = 0; events < 30; events++) examples.observe(impression({ user: `u${events}` }))
  assert.deepEqual(examples.factors({ user: 'bob' }), [1.5, 1])
})

test('a label counts by what the slots of its example hold, wherever it stands among several values', async () => {
  const slots = { genre: { horror: 2, comedy: 0.5 }, device: { horror: 8, phone: 4 } }
  const examples = await createExamples({ slots }, { user: [3, 1, 1, 1, 1, 1], slots: { genre: { drama: 0 } } })
  examples.observe(
    profile('item', 'psycho', { attributes: { genres: ['thriller', 'horror'] } }),
    profile('item', 'scream', { attributes: { genres: ['comedy', 'thriller', 'horror'] } }),
    profile('item', 'hamlet', { attributes: { genres: ['drama'] } }),
  )
  assert.deepEqual(examples.factors({ item: 'psycho' }), [2, 3])
  assert.deepEqual(examples.factors({ item: 'scream', context: { device: 'phone' } }), [4, 3])
  assert.deepEqual(examples.factors({ item: 'hamlet' }), [1, 0])
  assert.deepEqual(examples.factors({ item: 'horror', context: { device: 'tablet' } }), [1, 3])
  while (examples.columns.allocate() < SLAB_ROWS);
  assert.deepEqual(examples.factors({ item: 'psycho', context: { device: 'phone' } }), [8, 3])
})

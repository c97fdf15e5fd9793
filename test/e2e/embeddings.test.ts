/** Several embeddings of an item: each by its name, of what each says only some of the truth. */
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { replay, summarise } from '../../src/index.js'
import { createLogWriter } from '../../src/sink/log-writer.js'
import { Random } from '../../src/std/random.js'
import { START_MS, Workspace } from '../helpers/workspace.js'

const ITEMS = 300
const RATINGS = 6_000
const SIZE = 4
/** Their share has no picture. */
const WITHOUT = 0.2
const TEXT = { name: 'text', from: 'item', size: SIZE }
const PICTURE = { name: 'picture', from: 'item', key: 'picture', size: SIZE }

const config = (embeddings: unknown[]) => ({
  source: { log: 'log' },
  tasks: [{ name: 'like', head: 'binary', label: { event: 'rating', atLeast: 4 } }],
  // Nothing else tells one item from another.
  features: { slots: [{ name: 'user', from: 'user' }], embeddings },
  model: { hidden: [16], dim: 4 },
  fast: { enabled: false },
  optimizer: { dense: { rate: 0.01 } },
  batch: { tick: '1m', maxExamples: 64 },
})

const workspace = new Workspace(config([TEXT, PICTURE]))

before(() => {
  const random = new Random(5)
  const vector = () => Array.from({ length: SIZE }, () => random.uniform() * 2 - 1)
  const log = createLogWriter({ path: workspace.path('log'), partitions: 1 })
  const liked: number[] = []
  for (let item = 0; item < ITEMS; item++) {
    const [text, picture] = [vector(), vector()]
    const isBare = random.uniform() < WITHOUT
    const logit = 4 * (text[0] ?? 0) + (isBare ? 0 : 4 * (picture[1] ?? 0))
    liked.push(1 / (1 + Math.exp(-logit)))
    const stamp = { eventId: `i${item}`, eventTime: START_MS, id: `i${item}` }
    log.write(0, 'item', { ...stamp, embedding: text, ...(!isBare && { embeddings: { picture, other: [1] } }) })
  }
  for (let nth = 0; nth < RATINGS; nth++) {
    const item = random.integer(ITEMS)
    const stamp = { eventId: `r${nth}`, eventTime: START_MS + nth * 1000, user: `u${nth % 20}`, item: `i${item}` }
    log.write(0, 'rating', { ...stamp, value: random.uniform() < (liked[item] ?? 0) ? 5 : 1 })
  }
  log.close()
})

async function aucWith(embeddings: unknown[]): Promise<number> {
  workspace.configure({ ...config(embeddings) })
  return summarise([await replay(workspace.path('millrace.yaml'))]).tasks.like?.auc ?? Number.NaN
}

test('what two embeddings of an item say together is more than what either says, items without one included', async () => {
  const [neither, text, picture, both] = [
    await aucWith([]),
    await aucWith([TEXT]),
    await aucWith([PICTURE]),
    await aucWith([TEXT, PICTURE]),
  ]
  assert.ok(neither < 0.55, `${neither}`)
  assert.ok(Math.min(text, picture) > neither + 0.1, `${text} and ${picture}`)
  assert.ok(both > Math.max(text, picture) + 0.05, `${both}, of ${text} and ${picture}`)
})

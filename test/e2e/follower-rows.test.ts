/** How far a follower's answers are from the learner's where they can not be the same bits: other backends, fewer bits a row. */
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { loadChecked } from '../../src/app/load-checked.js'
import { snapshotPlace } from '../../src/app/snapshot-records.js'
import { follow } from '../../src/index.js'
import type { SnapshotManifest } from '../../src/sink/output-records.js'
import { CANDIDATES, CONTEXT, type Recommendation, writeAskingShop } from '../helpers/asking-shop.js'
import { millrace } from '../helpers/process.js'
import { smallConfig, Workspace } from '../helpers/workspace.js'

/** Of a probability, or of a rating's range of 4. */
const BOUNDS = { float16: 5e-4, int8: 0.01 }
type Compact = keyof typeof BOUNDS

const shop = new Workspace({ ...smallConfig, join: { disorder: '5m', maxFuture: '30d' } })
const file = shop.path('millrace.yaml')
let asked: Recommendation[] = []

/** The last version in full, or as the end of a chain of deltas. */
const published = (rows: Compact, kind: 'full' | 'delta') => [
  `outputs.snapshotRows=${rows}`,
  `outputs.path=${rows}-${kind}`,
  'checkpoint.path=none',
  ...(kind === 'delta' ? ['outputs.snapshotEverySteps=0', 'outputs.deltaEvery=6h'] : []),
]

before(async () => {
  await writeAskingShop(shop)
  const runs = [[], ...(['float16', 'int8'] as const).map(rows => published(rows, 'full')), published('int8', 'delta')]
  for (const set of runs) {
    const { code, stderr } = await millrace(['replay', file, ...set.flatMap(one => ['--set', one])])
    assert.equal(code, 0, stderr)
  }
  asked = (await shop.records<Recommendation>('recommendations')).filter(({ requestId }) =>
    requestId.startsWith('last-given'),
  )
  assert.equal(asked.length, 4)
})

/** By request, item and task; ratings as shares of their range. */
async function answersOf(set: string[]): Promise<Map<string, number>> {
  const follower = await follow(file, { set })
  const answers = new Map<string, number>()
  try {
    await follower.ready()
    assert.equal(follower.model().version, asked[0]?.modelVersion)
    for (const { requestId, user, eventTime } of asked) {
      const question = { user, eventTimeMs: Number(eventTime), context: CONTEXT, items: CANDIDATES }
      for (const { item, values } of (await follower.score(question)).scores) {
        for (const [task, value] of Object.entries(values))
          answers.set(`${requestId} ${item} ${task}`, task === 'rating' ? value / 4 : value)
      }
    }
  } finally {
    await follower.close()
  }
  return answers
}

const learned = () =>
  new Map(
    asked.flatMap(({ requestId, items }) =>
      items.flatMap(({ item, values }) =>
        Object.entries(values).map(([task, value]): [string, number] => [
          `${requestId} ${item} ${task}`,
          task === 'rating' ? value / 4 : value,
        ]),
      ),
    ),
  )

function furthest(found: Map<string, number>, from: Map<string, number>): number {
  assert.deepEqual([...found.keys()].sort(), [...from.keys()].sort())
  return Math.max(...[...from].map(([key, value]) => Math.abs((found.get(key) ?? Number.NaN) - value)))
}

async function manifestsOf(set: string[]): Promise<SnapshotManifest[]> {
  const manifests: SnapshotManifest[] = []
  await snapshotPlace(loadChecked(file, { set })).read(({ manifest }) => {
    if (manifest !== null) manifests.push(manifest)
  })
  return manifests
}

for (const kind of ['tfjs-wasm', 'tfjs-cpu']) {
  test(`a follower on ${kind} answers as the learner on onnx, within a millionth`, async () => {
    const found = await answersOf([`backend.kind=${kind}`])
    assert.ok(furthest(found, learned()) <= 1e-6)
  })
}

for (const rows of ['float16', 'int8'] as const) {
  test(`answers from ${rows} rows are near the learner's, without a word of it in the follower's configuration`, async () => {
    const found = await answersOf([`outputs.path=${rows}-full`])
    const distance = furthest(found, learned())
    assert.ok(distance > 0 && distance <= BOUNDS[rows], `${distance}`)
  })
}

test('parts name the encoding of their rows, and take fewer bytes', async () => {
  const sizes = await Promise.all(
    [[], published('float16', 'full'), published('int8', 'full')].map(async set => {
      const parts = (await manifestsOf(set)).at(-1)?.parts ?? []
      const tables = parts.filter(({ name }) => name.startsWith('table.') || name === 'fast.rows')
      assert.ok(tables.length > 3)
      return {
        encodings: [...new Set(tables.map(({ encoding }) => encoding))],
        bytes: tables.reduce((sum, { bytes }) => sum + bytes, 0),
      }
    }),
  )
  assert.deepEqual(
    sizes.map(({ encodings }) => encodings),
    [['float32'], ['float16'], ['int8']],
  )
  const [exact = 0, half = 0, byte = 0] = sizes.map(({ bytes }) => bytes)
  assert.ok(half < exact * 0.6 && byte < exact * 0.45, `${exact}, ${half}, ${byte}`)
})

test('a chain of deltas of int8 rows leads to the answers of a full version', async () => {
  const [full, delta] = [published('int8', 'full'), published('int8', 'delta')]
  const ofFull = new Map((await manifestsOf(full)).map(({ eventTime, checksum }) => [Number(eventTime), checksum]))
  const chain = await manifestsOf(delta)
  assert.ok(chain.length > 10)
  // What was published in full in one run came as a delta in the other: the same version, so the same checksum.
  const shared = chain.filter(({ eventTime }) => ofFull.has(Number(eventTime)))
  assert.ok(shared.length >= 2, `${shared.length} of ${chain.length}`)
  for (const { eventTime, checksum } of shared) assert.equal(checksum, ofFull.get(Number(eventTime)))
})

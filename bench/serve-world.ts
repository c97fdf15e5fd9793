/**
 * What the rows of `npm run bench:serve` score with: a learner of an MMoE with ten slots × 16 in this process, fed with
 * synthetic clicks and buys over 100,000 users, 100,000 items and eight context slots of 25,000 values, and what it
 * publishes: one full version, and one delta in which nearly every row has changed, about a million.
 */
import { createOnnxBackend } from '../src/backend/onnx.js'
import type { LoadedConfig } from '../src/config/load.js'
import { parseConfig } from '../src/config/load.js'
import type { Impression, Positive } from '../src/domain/event.js'
import type { SnapshotKind } from '../src/domain/state.js'
import { ExampleColumns, viewSlab } from '../src/features/columns.js'
import { FeatureExtractor } from '../src/features/extract.js'
import { Learner } from '../src/learn/learner.js'
import { publishMain } from '../src/pipeline/publish-main.js'
import { SnapshotPublisher } from '../src/pipeline/publisher.js'
import { Fusion } from '../src/recommend/fusion.js'
import { Recommender } from '../src/recommend/recommender.js'
import type { KeyedSnapshot, SnapshotRecord } from '../src/sink/output-records.js'
import { encodePublished } from '../src/snapshot/publication.js'
import { Hasher } from '../src/std/hash.js'
import { Random } from '../src/std/random.js'
import type { Context } from './row.js'

const BATCH = 1024
const SLOTS = 8
const START_MS = Date.UTC(2024, 0, 1)
const SIZE = { users: 100_000, items: 100_000, values: 25_000, batches: 130 }
const QUICK = { users: 5_000, items: 2_000, values: 1_000, batches: 12 }

export const SERVE_CONFIG = `
name: bench
tasks:
  - { name: click, head: binary, label: { event: click, window: 30m } }
  - { name: buy, head: binary, label: { event: buy, window: 1d }, rank: 5 }
  - { name: like, head: binary, label: { event: click, window: 1d } }
features:
  slots:
    - { name: user, from: user, bias: true }
    - { name: item, from: item, bias: true }
${Array.from({ length: SLOTS }, (_, at) => `    - { name: c${at}, from: context.c${at} }`).join('\n')}
  numeric:
    - { name: item-ctr, rate: click, by: item, halfLife: 7d, prior: 50 }
    - { name: user-clicks, count: click, by: user, transform: log1p }
model: { architecture: mmoe, hidden: [128, 64], experts: 4, tower: 32, dim: 16 }
recommend: { judgeEvery: 0, exactItems: 0, negatives: 8, history: 20 }
fast: { maxRows: 4000000 }
backend: { kind: onnx, threads: 1 }
outputs: { path: out, deltaEvery: 1s }
http: { rate: 0 }
`

export interface ServeWorld {
  loaded: LoadedConfig
  full: SnapshotRecord[]
  delta: SnapshotRecord[]
  /** Changed rows of the delta, over all parts. */
  changedRows: number
  deltaBytes: number
  user(random: Random): string
  context(random: Random): Record<string, string>
  /** So many different items, popular ones first. */
  candidates(random: Random, count: number): string[]
}

export async function createServeWorld({ quick, say }: Context): Promise<ServeWorld> {
  const size = quick ? QUICK : SIZE
  const loaded = parseConfig(SERVE_CONFIG, 'bench/serve-world.ts')
  const { config, hash } = loaded
  const hasher = new Hasher()
  const features = new FeatureExtractor(config.features, hasher, config.fast.enabled, true)
  const { recommend } = config
  if (recommend === undefined) throw new Error('the world has top-N')
  const recommender = new Recommender(recommend, hasher, 1, undefined, true)
  const fusion = new Fusion(config.tasks, recommend.fusion)
  const backend = await createOnnxBackend({ threads: 1 })
  const learner = await Learner.create(config, backend)
  const columns = new ExampleColumns(learner.columns, buffer => learner.addSlab(viewSlab(buffer, learner.columns)))
  const rows = Int32Array.from({ length: BATCH }, () => columns.allocate())
  const random = new Random(1)
  let nth = 0
  let nowMs = START_MS
  const user = (from: Random) => `u${from.integer(size.users)}`
  const context = (from: Random) =>
    Object.fromEntries(Array.from({ length: SLOTS }, (_, at) => [`c${at}`, `v${from.integer(size.values)}`]))

  async function step(): Promise<void> {
    const labels = new Float32Array(BATCH * 3)
    const mask = new Uint8Array(BATCH * 3).fill(1)
    for (const [i, row] of rows.entries()) {
      nowMs += 250
      const kind = random.uniform() < 0.2 ? 'click' : 'impression'
      const subject = {
        user: `u${nth % size.users}`,
        item: `i${nth++ % size.items}`,
        eventTimeMs: nowMs,
        requestId: null,
        position: null,
        context: context(random),
      }
      const slab = columns.slab(row)
      slab.keys.fill(0, row * columns.layout.keyPlaces * 2, (row + 1) * columns.layout.keyPlaces * 2)
      features.extract(subject, columns, row, true)
      const event = { ...subject, kind, eventId: '', value: 1 } as Impression | Positive
      features.observe(event)
      recommender.observe({ ...event, kind: 'click', value: 1 })
      if (kind === 'click') labels.fill(1, i * 3, i * 3 + 1 + random.integer(3))
    }
    const fresh = new Uint8Array(BATCH).fill(1)
    await learner.score({ rows, eventTimeMs: nowMs, operations: { fresh, labels, mask } })
    await learner.learn({
      rows,
      labels,
      mask,
      fresh: new Uint8Array(BATCH),
      eventTimeMs: nowMs,
      impressionTimesMs: new Float64Array(BATCH).fill(nowMs),
      countFromMs: 0,
    })
  }

  const appended: SnapshotRecord[] = []
  const publisher = new SnapshotPublisher({
    learner: {
      async snapshot(kind, parts) {
        const all = [...(await learner.publish(kind)), ...parts]
        return { parts: all.map(([name, published]) => encodePublished(name, published)), metrics: {} }
      },
    },
    outputs: { snapshots: { append: ({ record }: KeyedSnapshot) => void (record && appended.push(record)) } as never },
    configHash: () => hash,
    everySteps: 0,
    deltaEveryMs: 1000,
    rowEncoding: 'float32',
    maxMessageBytes: undefined,
    parts: kind => publishMain(kind, features, recommender),
    answeredParts: () => [['fusion', fusion.publish()]],
    head: () => ({ eventTimeMs: nowMs, offsets: [] }),
    send: (answer, then) => void answer.then(then),
  })
  async function publish(kind: SnapshotKind, version: number): Promise<SnapshotRecord[]> {
    for (let batch = 0; batch < size.batches; batch++) await step()
    publisher.publish(kind, version)
    while (appended.at(-1)?.manifest === undefined || appended.at(-1)?.manifest === null)
      await new Promise(resolve => setImmediate(resolve))
    return appended.splice(0)
  }

  say('a full version')
  const full = await publish('full', size.batches)
  say('a delta of nearly all rows')
  const delta = await publish('delta', size.batches * 2)
  await learner.close()
  await backend.close()
  const parts = delta.at(-1)?.manifest?.parts ?? []
  return {
    loaded,
    full,
    delta,
    changedRows: parts.reduce((sum, { changed }) => sum + changed, 0),
    deltaBytes: parts.reduce((sum, { bytes }) => sum + bytes, 0),
    user,
    context,
    candidates: (from, count) => {
      const first = from.integer(size.items - count)
      return Array.from({ length: count }, (_, at) => `i${first + at}`)
    },
  }
}

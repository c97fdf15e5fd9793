import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createOnnxBackend } from '../../../../src/backend/onnx.js'
import { MillraceError } from '../../../../src/domain/errors.js'
import { GraphBuilder } from '../../../../src/graph/graph.js'
import { createBinaryHead, sigmoid } from '../../../../src/model/heads/binary.js'
import { funnelLogits } from '../../../../src/model/heads/funnel.js'
import type { LabelColumn } from '../../../../src/model/heads/head.js'
import { createOrdinalHead, ordinalNodes, ordinalParameters } from '../../../../src/model/heads/ordinal.js'
import { RegressionHead } from '../../../../src/model/heads/regression.js'
import { SoftmaxHead, softmaxNodes, softmaxParameters } from '../../../../src/model/heads/softmax.js'
import { initialValues, layOut } from '../../../../src/model/parameters.js'
import { createReferenceBackend } from '../../../helpers/reference-backend.js'
import { deepSpec } from '../deep-spec.js'

const column = (values: number[], mask = values.map(() => 1)): LabelColumn => ({
  labels: Float32Array.from(values),
  mask: Uint8Array.from(mask),
  n: values.length,
  tasks: 1,
  bits: { learned: 1, takenBack: 8 },
  task: 0,
})

test('a binary head starts at a low rate and follows the base rate of counted labels', () => {
  const head = createBinaryHead()
  assert.ok(Math.abs(head.decode(head.shift) - 0.1) < 1e-12)
  const labels = Array.from({ length: 1000 }, (_, i) => (i % 4 === 0 ? 1 : 0))
  for (let i = 0; i < 20; i++) head.observe(column(labels), new Float32Array(0))
  assert.ok(Math.abs(sigmoid(head.shift) - 0.25) < 0.001)
  const before = head.shift
  head.observe(column([Number.NaN, 1], [0, 0]), new Float32Array(0))
  assert.equal(head.shift, before)
})

test('a binary head stays finite when every label is the same', () => {
  for (const label of [0, 1]) {
    const head = createBinaryHead()
    for (let i = 0; i < 3000; i++) head.observe(column(new Array(1000).fill(label)), new Float32Array(0))
    assert.ok(Number.isFinite(head.shift))
  }
})

test('a regression head has ratings in latent units of one star around the running mean', () => {
  const head = new RegressionHead([1, 5])
  assert.deepEqual([head.centre, head.scale, head.precision], [3, 1, 1])
  const labels = Array.from({ length: 5000 }, (_, i) => 3 + (i % 3))
  head.observe(column(labels), new Float32Array(5000))
  assert.ok(Math.abs(head.centre - 4) < 0.01)
  assert.equal(head.scale, 1)
  assert.equal(head.decode(head.encode(2)), 2)
  assert.equal(head.decode(50), 5)
})

test('a regression head without a range takes its units from its first labels and follows them', () => {
  const head = new RegressionHead(undefined)
  const first = column([90, 110, Number.NaN], [1, 1, 0])
  head.prepare(first)
  assert.deepEqual([head.centre, head.scale], [100, 10])
  head.observe(first, new Float32Array(3))
  head.prepare(column([5000, 6000]))
  assert.equal(head.centre, 100)
  const labels = Array.from({ length: 20_000 }, (_, i) => (i % 2 === 0 ? 180 : 220))
  head.observe(column(labels), new Float32Array(20_000))
  assert.ok(Math.abs(head.centre - 200) < 0.1 && Math.abs(head.scale - 20) < 0.3)
})

test('a regression head with a transform learns logarithms and says natural units, within its range', () => {
  const head = new RegressionHead([0, 1000], { to: Math.log1p, from: Math.expm1 })
  const labels = Array.from({ length: 5000 }, (_, i) => (i % 2 === 0 ? 9 : 99))
  for (let i = 0; i < 20; i++) head.observe(column(labels), new Float32Array(5000))
  assert.ok(Math.abs(head.centre - (Math.log(10) + Math.log(100)) / 2) < 0.01)
  assert.ok(Math.abs(head.decode(head.encode(42)) - 42) < 1e-9)
  assert.deepEqual([head.decode(50), head.decode(-50)], [1000, 0])
})

test('a single first label gives finite units', () => {
  for (const label of [0, 7, -1e6]) {
    const head = new RegressionHead(undefined)
    head.prepare(column([label]))
    assert.ok(head.scale > 0 && Number.isFinite(head.encode(label + 1)))
  }
})

test('the precision of a regression head follows the squared error of its predictions, down to a floor', () => {
  const head = new RegressionHead([1, 5])
  const labels = new Array(1000).fill(3)
  const latents = Float32Array.from(labels, (_, i) => (i % 2 === 0 ? 0.5 : -0.5))
  for (let i = 0; i < 20; i++) head.observe(column(labels), latents)
  assert.ok(Math.abs(head.precision - 4) < 0.01)
  for (let i = 0; i < 50; i++) head.observe(column(labels), new Float32Array(1000))
  assert.equal(head.precision, 1000)
})

test('ordinal thresholds start in order, all levels equally likely at 0', async () => {
  const levels = 5
  const layout = layOut([ordinalParameters('raw', levels)])
  const g = new GraphBuilder()
  const raw = g.state('raw', [1, levels - 1])
  const { thetas, level } = ordinalNodes(g, g.input('z', ['B', 1]), raw, levels)
  g.output('thetas', thetas)
  g.output('level', level)
  const backend = await createOnnxBackend({ threads: 1 })
  const graph = await backend.compile(g.build())
  await graph.writeState({ raw: initialValues(layout, 1) })
  const outputs = await graph.run({ z: { data: Float32Array.of(0, 20, -20), dims: [3, 1] } })
  const above = [...outputs.thetas!.data].map(theta => 1 / (1 + Math.exp(theta)))
  for (const [j, p] of above.entries()) assert.ok(Math.abs(p - (levels - 1 - j) / levels) < 1e-5, `${above}`)
  for (const [i, expected] of [2, 4, 0].entries()) assert.ok(Math.abs(outputs.level!.data[i]! - expected) < 1e-5)
  await backend.close()
})

test('an ordinal head maps labels to levels and refuses a range without two of them', () => {
  const head = createOrdinalHead([1, 5])
  assert.deepEqual([0, 1, 3.4, 5, 9].map(head.encode), [0, 0, 2, 4, 4])
  assert.equal(head.decode(2.5), 3.5)
  for (const range of [undefined, [2, 2] as const]) {
    assert.throws(
      () => createOrdinalHead(range),
      error => error instanceof MillraceError && error.code === 'CONFIG_INVALID',
    )
  }
})

test('the logit of a funnel is that of the product of its probabilities, and finite where they are not told from 0 or 1', async () => {
  const g = new GraphBuilder()
  const latents = g.input('latents', ['B', 3])
  const [first, second] = funnelLogits(g, latents, [
    { task: 1, before: 0 },
    { task: 2, before: 1 },
  ])
  g.output('first', first!)
  g.output('second', second!)
  const compiled = await createReferenceBackend().compile(g.build())
  const rows = [
    [0.3, -1, 2],
    [-4, 3, 0],
    [60, -60, 3],
    [-80, -80, 80],
    [90, 90, 90],
  ]
  const outputs = await compiled.run({ latents: { data: Float32Array.from(rows.flat()), dims: [rows.length, 3] } })
  for (const [i, [a = 0, b = 0, c = 0]] of rows.entries()) {
    const sigmoid = (z: number) => 1 / (1 + Math.exp(-z))
    const logit = (z: number[]) => {
      const p = z.reduce((product, one) => product * sigmoid(one), 1)
      return Math.log(p) - Math.log(z.reduce((miss, one) => miss + (1 - miss) * sigmoid(-one), 0))
    }
    for (const [name, expected] of [
      ['first', logit([a, b])],
      ['second', logit([a, b, c])],
    ] as const) {
      const actual = outputs[name]?.data[i] ?? Number.NaN
      assert.ok(
        Math.abs(actual - expected) < 1e-4 * Math.max(1, Math.abs(expected)),
        `${name} ${i}: ${actual}, ${expected}`,
      )
    }
  }
})

const levelsTask = deepSpec({ tasks: [{ name: 'stars', head: 'distribution', range: [1, 3] }], slots: 0, dense: 1 })
  .tasks[0]!

test('a distribution starts with equal shares and follows those of the counted labels', () => {
  const head = new SoftmaxHead(levelsTask)
  assert.deepEqual([...head.logShares()], new Array(3).fill(Math.fround(Math.log(1 / 3))))
  assert.deepEqual([0, 1, 2.4, 3, 9].map(head.encode.bind(head)), [0, 0, 1, 2, 2])
  assert.equal(head.decode(0.5), 1.5)
  for (let i = 0; i < 1000; i++) head.observe(column([1, 1, 2, 3, Number.NaN], [1, 1, 1, 1, 0]))
  const shares = [...head.logShares()].map(Math.exp)
  for (const [level, share] of [0.5, 0.25, 0.25].entries())
    assert.ok(Math.abs((shares[level] ?? 0) - share) < 0.005, `${shares}`)
})

test('the logarithms of a softmax are finite and its levels right, however far apart the logits are', async () => {
  const levels = 3
  const specs = softmaxParameters('p', levelsTask, 2)
  const g = new GraphBuilder()
  const [latent, hidden, shares] = [g.input('z', ['B', 1]), g.input('h', ['B', 2]), g.input('f', [1, levels])]
  const parameter = (name: string) => g.state(name, specs.find(spec => spec.name === `p.${name}`)?.shape ?? [])
  const { logs, level } = softmaxNodes(g, { latent, hidden, shares }, parameter, [0, 1, 2])
  g.output('logs', logs)
  g.output('level', level)
  const backend = await createOnnxBackend({ threads: 1 })
  const graph = await backend.compile(g.build())
  await graph.writeState({ weight: initialValues(layOut(specs.slice(0, 1)), 1) })
  const outputs = await graph.run({
    z: { data: Float32Array.of(0, 500, -500), dims: [3, 1] },
    h: { data: new Float32Array(6).fill(7), dims: [3, 2] },
    f: { data: new Float32Array(levels).fill(Math.log(1 / levels)), dims: [1, levels] },
  })
  assert.deepEqual([...outputs.level!.data], [1, 2, 0])
  const rows = [...outputs.logs!.data]
  assert.ok(rows.every(Number.isFinite), `${rows}`)
  assert.deepEqual(rows.slice(3), [-2000, -1000, 0, 0, -1000, -2000])
  await backend.close()
})

test('a categorical head knows the class by its label, and says a probability', () => {
  const { tasks } = deepSpec({
    tasks: [{ name: 'mood', head: 'categorical', classes: ['bad', 'so so', 'good'], of: ['good'] }],
    slots: 0,
    dense: 1,
  })
  const head = new SoftmaxHead(tasks[0]!)
  assert.deepEqual([-1, -2, 3].map(head.encode.bind(head)), [0, 1, 2])
  assert.ok(Number.isNaN(head.encode(Number.NaN)))
  assert.deepEqual([head.decode(0.25), head.decode(1 + 1e-7)], [0.25, 1])
})

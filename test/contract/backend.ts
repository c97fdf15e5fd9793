/**
 * What every backend must do, run against each. Values are compared with the float64 reference; the bound is that of
 * float32 sums of a few terms.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Backend, HostTensor } from '../../src/backend/backend.js'
import { gradients } from '../../src/graph/gradient.js'
import { type Graph, GraphBuilder } from '../../src/graph/graph.js'
import { Random } from '../../src/std/random.js'
import { drawTensor } from '../helpers/draw-tensor.js'
import { OP_CASES } from '../helpers/graph-cases.js'
import { createReferenceBackend } from '../helpers/reference-backend.js'

const tensor = (dims: readonly number[], ...values: number[]): HostTensor => ({ data: Float32Array.from(values), dims })
const scalar = (value: number): HostTensor => tensor([], value)

function assertClose(actual: HostTensor | undefined, expected: HostTensor | undefined, name: string): void {
  assert.ok(actual && expected, `output ${name} is there`)
  assert.deepEqual([...actual.dims], [...expected.dims], `shape of ${name}`)
  actual.data.forEach((value, i) => {
    const wanted = expected.data[i]!
    assert.ok(
      Math.abs(value - wanted) <= 2e-5 * Math.max(1, Math.abs(wanted)),
      `${name}[${i}]: ${value}, not ${wanted}`,
    )
  })
}

function drawFeeds(graph: Graph, seed: number, batch: number, positive = false): Record<string, HostTensor> {
  const random = new Random(seed)
  return Object.fromEntries(
    graph.inputs.map(({ attributes, shape }) => [attributes.name, drawTensor(random, shape, batch, positive)]),
  )
}

/** Two hidden layers, two losses, momentum: about what a model step is made of. */
function stepGraph(): Graph {
  const g = new GraphBuilder()
  const [x, y, rate] = [g.input('x', ['B', 6]), g.input('y', ['B', 2]), g.input('rate', [])]
  const [p, m] = [g.state('p', [6 * 8 + 8 + 2 * 4 * 3 + 6]), g.state('m', [6 * 8 + 8 + 2 * 4 * 3 + 6])]
  const w1 = g.reshape(g.slice(p, 0, 0, 48), [6, 8])
  const b1 = g.slice(p, 0, 48, 8)
  const w2 = g.reshape(g.slice(p, 0, 56, 24), [2, 4, 3])
  const w3 = g.reshape(g.slice(p, 0, 80, 6), [2, 3, 1])
  const hidden = g.relu(g.add(g.matMul(x, w1), b1)) // [B, 8]
  const halves = g.transpose(g.reshape(hidden, ['B', 2, 4]), [1, 0, 2]) // [2, B, 4]
  const logits = g.reshape(g.matMul(g.tanh(g.matMul(halves, w2)), w3), [2, 'B'])
  const labels = g.transpose(y, [1, 0]) // [2, B]
  const [click, value] = [g.slice(logits, 0, 0, 1), g.slice(logits, 0, 1, 1)]
  const entropy = g.sum(g.sub(g.softplus(click), g.mul(click, g.slice(labels, 0, 0, 1))))
  const loss = g.add(entropy, g.sum(g.square(g.sub(value, g.slice(labels, 0, 1, 1)))))
  const [dp, dx] = gradients(g, loss, [p, x])
  const next = g.add(g.mul(m, 0.9), dp!)
  g.assign('m', next)
  g.assign('p', g.sub(p, g.mul(next, rate)))
  g.output('loss', loss)
  g.output('dx', dx!)
  return g.build()
}

function predictGraph(): Graph {
  const g = new GraphBuilder()
  const p = g.state('p', [86])
  g.output('hidden', g.matMul(g.input('x', ['B', 6]), g.reshape(g.slice(p, 0, 0, 48), [6, 8])))
  return g.build()
}

async function learn(
  backend: Backend,
  steps: number,
): Promise<{ bytes: Uint8Array; last: Record<string, HostTensor> }> {
  const graph = stepGraph()
  const compiled = await backend.compile(graph)
  await compiled.writeState({ p: drawTensor(new Random(3), [86], 0).data })
  let last: Record<string, HostTensor> = {}
  for (let i = 0; i < steps; i++)
    last = await compiled.run({ ...drawFeeds(graph, i, 1 + ((i * 5) % 9)), rate: scalar(0.01) })
  const { p, m } = await compiled.readState()
  const all = new Float32Array([...p!, ...m!, ...last.loss!.data, ...last.dx!.data])
  await compiled.close()
  return { bytes: new Uint8Array(all.buffer), last }
}

/** `liveTensors` counts the tensors on the device, where that can be known. */
export function backendContract(
  name: string,
  create: () => Promise<Backend>,
  options: { skip?: string | undefined; liveTensors?: () => number } = {},
): void {
  describe(`backend ${name}`, { skip: options.skip ?? false }, () => {
    let backend: Backend
    const reference = createReferenceBackend()
    before(async () => {
      backend = await create()
    })
    after(() => backend.close())

    for (const { name, inputs, build, positive } of OP_CASES) {
      test(`computes ${name} and its gradient as the reference does`, async () => {
        const g = new GraphBuilder()
        const xs = inputs.map((shape, i) => g.input(`x${i}`, shape))
        const y = build(g, xs)
        g.output('y', y)
        gradients(g, g.sum(g.mul(y, g.input('weights', y.shape))), xs).forEach((d, i) => {
          g.output(`d${i}`, d)
        })
        const graph = g.build()
        const [compiled, expected] = [await backend.compile(graph), await reference.compile(graph)]
        for (const batch of [3, 1, 70]) {
          const feeds = drawFeeds(graph, batch, batch, positive)
          const [outputs, wanted] = [await compiled.run(feeds), await expected.run(feeds)]
          assert.deepEqual(Object.keys(outputs).sort(), Object.keys(wanted).sort())
          for (const output of Object.keys(wanted)) assertClose(outputs[output], wanted[output], output)
        }
        await compiled.close()
      })
    }

    test('keeps large and small arguments finite', async () => {
      const g = new GraphBuilder()
      const x = g.input('x', ['B', 4])
      g.output('softplus', g.softplus(x))
      g.output('sigmoid', g.sigmoid(x))
      g.output('softmax', g.softmax(x))
      g.output('loss', g.sub(g.softplus(x), x))
      const graph = g.build()
      const feeds = { x: tensor([2, 4], -200, -30, 30, 200, 0, 1e-6, -88, 88) }
      const compiled = await backend.compile(graph)
      const [outputs, wanted] = [await compiled.run(feeds), await (await reference.compile(graph)).run(feeds)]
      for (const output of Object.keys(wanted)) assertClose(outputs[output], wanted[output], output)
      await compiled.close()
    })

    test('gives inputs, states, constants and the same node twice as outputs', async () => {
      const g = new GraphBuilder()
      const [x, s] = [g.input('x', ['B', 2]), g.state('s', [2])]
      const sum = g.add(x, s)
      const nodes = { x, s, constant: g.constant(new Float32Array([4, 5]), [2]), sum, again: sum }
      for (const [output, node] of Object.entries(nodes)) g.output(output, node)
      g.output('greater', g.greater(x, s))
      g.output('stopped', g.stopGradient(x))
      const compiled = await backend.compile(g.build())
      await compiled.writeState({ s: new Float32Array([1, 2]) })
      const outputs = await compiled.run({ x: tensor([1, 2], 3, 1) })
      const values = Object.fromEntries(Object.entries(outputs).map(([key, { data }]) => [key, [...data]]))
      assert.deepEqual(values, {
        x: [3, 1],
        s: [1, 2],
        constant: [4, 5],
        sum: [4, 3],
        again: [4, 3],
        greater: [1, 0],
        stopped: [3, 1],
      })
      await compiled.close()
    })

    test('accepts inputs that nothing uses', async () => {
      const g = new GraphBuilder()
      g.input('unused', ['B', 2])
      g.state('idle', [3])
      g.output('y', g.neg(g.input('x', ['B'])))
      const compiled = await backend.compile(g.build())
      const { y } = await compiled.run({ unused: tensor([2, 2], 0, 0, 0, 0), x: tensor([2], 1, 2) })
      assert.deepEqual([...y!.data], [-1, -2])
      await compiled.close()
    })

    test('starts state at zero and moves it after each run', async () => {
      const g = new GraphBuilder()
      const count = g.state('count', [2])
      g.assign('count', g.add(count, g.input('x', [])))
      g.output('before', count)
      const compiled = await backend.compile(g.build())
      assert.deepEqual([...(await compiled.readState()).count!], [0, 0])
      const seen: number[] = []
      for (const value of [1, 10, 100]) seen.push((await compiled.run({ x: scalar(value) })).before!.data[1]!)
      assert.deepEqual(seen, [0, 1, 11])
      const { count: held } = await compiled.readState()
      assert.deepEqual([...held!], [111, 111])
      await compiled.run({ x: scalar(1) })
      assert.deepEqual([...held!], [111, 111], 'what was read is a copy')
      await compiled.close()
    })

    test('assigns all states from the values before the run', async () => {
      const g = new GraphBuilder()
      const [a, b, x] = [g.state('a', [2]), g.state('b', [2]), g.input('x', [2])]
      for (const name of ['c', 'd', 'e', 'f']) g.state(name, [2])
      const sum = g.add(a, x)
      g.assign('a', b)
      g.assign('b', a)
      g.assign('c', sum)
      g.assign('d', sum)
      g.assign('e', g.reshape(g.reshape(x, [2, 1]), [2]))
      g.output('sum', sum)
      const compiled = await backend.compile(g.build())
      const given = new Float32Array([1, 2])
      await compiled.writeState({ a: given, f: new Float32Array([9, 9]) })
      given.fill(-1)
      const x1 = tensor([2], 5, 6)
      const { sum: first } = await compiled.run({ x: x1 })
      x1.data.fill(-1)
      const state = await compiled.readState()
      const values = Object.fromEntries(Object.entries(state).map(([key, data]) => [key, [...data]]))
      assert.deepEqual(values, { a: [0, 0], b: [1, 2], c: [6, 8], d: [6, 8], e: [5, 6], f: [9, 9] })
      await compiled.run({ x: tensor([2], 7, 7) })
      const next = await compiled.readState()
      assert.deepEqual(
        [[...next.a!], [...next.b!], [...next.d!]],
        [
          [1, 2],
          [0, 0],
          [7, 7],
        ],
      )
      assert.deepEqual([...first!.data], [6, 8], 'outputs of a run are not touched by the next')
      await compiled.close()
    })

    test('lets a graph read the state that another moves', async () => {
      const step = await backend.compile(stepGraph())
      const predict = await backend.compile(predictGraph(), step)
      const x = drawTensor(new Random(1), ['B', 6], 3)
      await step.writeState({ p: drawTensor(new Random(2), [86], 0).data })
      const before = (await predict.run({ x })).hidden!
      await step.run({ x, y: drawTensor(new Random(3), ['B', 2], 3), rate: scalar(0.1) })
      const after = (await predict.run({ x })).hidden!
      const p = (await step.readState()).p!
      const expected = await reference.compile(predictGraph())
      await expected.writeState({ p })
      assertClose(after, (await expected.run({ x })).hidden, 'hidden')
      assert.notDeepEqual([...before.data], [...after.data])
      assert.deepEqual([...(await predict.readState()).p!], [...p])
      await assert.rejects(predict.writeState({ p }), /through its owner/)
      await predict.close()
      await step.close()
    })

    test('refuses to share what does not fit', async () => {
      const owner = await backend.compile(predictGraph())
      const build = (shape: number[], name: string, assign: boolean) => {
        const g = new GraphBuilder()
        const s = g.state(name, shape)
        g.output('y', s)
        if (assign) g.assign(name, g.neg(s))
        return g.build()
      }
      await assert.rejects(backend.compile(build([86], 'p', true), owner), /may not assign/)
      await assert.rejects(backend.compile(build([86], 'q', false), owner), /is not in the graph/)
      await assert.rejects(backend.compile(build([2, 43], 'p', false), owner), /is \[2,43\] here and \[86\]/)
      await owner.close()
    })

    test('refuses feeds and states that do not fit', async () => {
      const compiled = await backend.compile(stepGraph())
      const good = { x: tensor([1, 6], 1, 2, 3, 4, 5, 6), y: tensor([1, 2], 0, 1), rate: scalar(0) }
      await compiled.run(good)
      const { rate: _, ...missing } = good
      const shared = { data: new Float32Array(new SharedArrayBuffer(8)), dims: [1, 2] }
      await assert.rejects(compiled.run(missing), /input rate is not fed/)
      await assert.rejects(compiled.run({ ...good, y: tensor([2, 1], 0, 1) }), /input y is \[2,1\]/)
      await assert.rejects(compiled.run({ ...good, y: tensor([2, 2], 0, 1, 2, 3) }), /with B = 1/)
      await assert.rejects(compiled.run({ ...good, y: tensor([1, 2], 0) }), /has 1 elements/)
      await assert.rejects(compiled.run({ ...good, y: shared }), /shared memory/)
      await assert.rejects(compiled.run({ ...good, z: scalar(1) }), /not all are inputs/)
      await assert.rejects(compiled.run({ x: tensor([0, 6]), y: tensor([0, 2]), rate: scalar(0) }), /batch is empty/)
      await assert.rejects(compiled.writeState({ p: new Float32Array(85) }), /85 elements/)
      await assert.rejects(compiled.writeState({ q: new Float32Array(1) }), /no state q/)
      await compiled.close()
    })

    test('learns as the reference does, with batches of any size', async () => {
      const [{ last }, { last: expected }] = [await learn(backend, 12), await learn(reference, 12)]
      assertClose(last.loss, expected.loss, 'loss')
      assertClose(last.dx, expected.dx, 'dx')
    })

    test('gives the same bytes for the same history, in another instance too', async () => {
      const first = await learn(backend, 20)
      const again = await learn(backend, 20)
      const other = await create()
      const elsewhere = await learn(other, 20)
      await other.close()
      assert.deepEqual(again.bytes, first.bytes)
      assert.deepEqual(elsewhere.bytes, first.bytes)
    })

    const { liveTensors } = options
    if (!liveTensors) return
    test('holds no more memory after many steps than after one', async () => {
      const graph = stepGraph()
      const atStart = liveTensors()
      const compiled = await backend.compile(graph)
      const run = () => compiled.run({ ...drawFeeds(graph, 1, 4), rate: scalar(0.01) })
      await run()
      const afterOne = liveTensors()
      for (let i = 0; i < 30; i++) await run()
      await compiled.writeState({ p: new Float32Array(86) })
      await compiled.readState()
      assert.equal(liveTensors(), afterOne)
      await compiled.close()
      assert.ok(liveTensors() <= atStart + 60, 'only shapes and axes are kept')
      const again = await backend.compile(graph)
      const second = liveTensors()
      await again.close()
      assert.ok(second - liveTensors() > 0, 'closing frees constants and state')
    })
  })
}

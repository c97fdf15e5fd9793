import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Backend } from '../../../src/backend/backend.js'
import { createOnnxBackend } from '../../../src/backend/onnx.js'
import { createTfjsBackend } from '../../../src/backend/tfjs.js'
import { MillraceError } from '../../../src/domain/errors.js'
import { MASK_COUNTED, MASK_REACHED, MASK_STEP_TAKEN_BACK, MASK_TAKEN_BACK } from '../../../src/domain/example.js'
import { DeepModel, type DeepModelSpec } from '../../../src/model/deep-model.js'
import { Random } from '../../../src/std/random.js'
import { type Batch, deepSpec, loaded, randomBatch } from './deep-spec.js'

const MIXED = [
  { name: 'click' },
  { name: 'rating', head: 'regression', range: [1, 5] },
  { name: 'stars', head: 'ordinal', range: [1, 5] },
  { name: 'price', head: 'regression' },
  { name: 'levels', head: 'distribution', range: [1, 5] },
]
const ARCHITECTURES = ['single-task', 'shared-bottom', 'mmoe']
const METHODS = ['manual', 'uncertainty', 'gradnorm']

function spec(architecture: string, method: string): DeepModelSpec {
  const model = { architecture, hidden: [12, 8], experts: 2, tower: 4, dim: 4 }
  return deepSpec({ tasks: MIXED, slots: 3, dense: 2, model, weights: { method, warmup: 2 } })
}

/** Batches of different sizes, as event time makes them. */
function batches(of: DeepModelSpec, seed: number): Batch[] {
  const random = new Random(seed)
  return [7, 1, 33, 2, 64, 5].map(n => randomBatch(of, n, random))
}

const learn = (deep: DeepModel, { input, labels, mask }: Batch) => deep.learn(input, labels, mask)

describe('the deep model', () => {
  let backend: Backend
  before(async () => {
    backend = await createOnnxBackend({ threads: 1 })
  })
  after(() => backend.close())

  for (const architecture of ARCHITECTURES) {
    for (const method of METHODS) {
      test(`resumes from its state with the same bytes: ${architecture}, ${method}`, async () => {
        const settings = spec(architecture, method)
        const whole = await DeepModel.create(settings, backend)
        const first = await DeepModel.create(settings, backend)
        const all = batches(settings, 5)
        for (const batch of all) await learn(whole, batch)
        for (const batch of all.slice(0, 3)) await learn(first, batch)
        const second = await DeepModel.create(settings, backend)
        await second.loadState(loaded(await first.saveState()))
        assert.deepEqual(await second.saveState(), await first.saveState())
        for (const batch of all.slice(3)) await learn(second, batch)
        assert.deepEqual(await second.saveState(), await whole.saveState())
        const [batch] = batches(settings, 6)
        assert.deepEqual(await second.predict(batch!.input), await whole.predict(batch!.input))
        for (const model of [whole, first, second]) await model.close()
      })
    }
  }

  test('learn reports what predict would have said before the update', async () => {
    const deep = await DeepModel.create(spec('mmoe', 'manual'), backend)
    for (const batch of batches(spec('mmoe', 'manual'), 1)) {
      await learn(deep, batch)
      const predicted = await deep.predict(batch.input)
      const { values } = await learn(deep, batch)
      for (const [i, value] of predicted.values.entries()) assert.ok(Math.abs(value - values[i]!) < 1e-5, `${i}`)
    }
    await deep.close()
  })

  for (const engine of ['onnx', 'tfjs']) {
    test(`shares and value of a categorical task are the probabilities of its loss: ${engine}`, async () => {
      const own = engine === 'onnx' ? backend : await createTfjsBackend('tfjs-cpu')
      const settings = deepSpec({
        tasks: [
          { name: 'click' },
          { name: 'mood', head: 'categorical', classes: ['a', 'b', 'c'], of: ['b'] },
          { name: 'stars', head: 'distribution', range: [1, 5] },
          { name: 'kind', head: 'categorical', classes: ['w', 'x', 'y', 'z'], of: ['w', 'z'] },
        ],
        slots: 3,
        dense: 2,
        model: { hidden: [12, 8], tower: 4, dim: 4 },
      })
      const deep = await DeepModel.create(settings, own)
      const random = new Random(4)
      const labels = () => Float32Array.of(1, [-1, 2, -3][random.integer(3)]!, 3, [1, -2, -3, 4][random.integer(4)]!)
      for (let i = 0; i < 30; i++) {
        const { input } = randomBatch(settings, 1, random)
        const said = await deep.predict(input)
        const came = labels()
        const { values, shares, taskLosses } = await deep.learn(input, came, new Uint8Array(4).fill(MASK_COUNTED))
        for (const [j, share] of said.shares.entries()) assert.ok(Math.abs(share - shares[j]!) < 1e-5)
        for (const [task, first] of [
          [1, 0],
          [3, 3],
        ] as const) {
          const label = came[task]!
          const value = label > 0 ? values[task]! : 1 - values[task]!
          const loss = -Math.log(value * shares[first + Math.abs(label) - 1]!)
          assert.ok(Math.abs(loss - taskLosses[task]!) < 1e-4, `${loss}, ${taskLosses[task]}`)
        }
      }
      await deep.close()
      if (own !== backend) await own.close()
    })
  }

  test('a network that says no numbers leaves to classes the shares of the labels', async () => {
    const tasks = [{ name: 'mood', head: 'categorical', classes: ['a', 'b', 'c'], of: ['b'] }]
    const settings = deepSpec({ tasks, slots: 1, dense: 0, model: { hidden: [4], tower: 2, dim: 2 } })
    const deep = await DeepModel.create(settings, backend)
    const input = { n: 1, embedded: new Float32Array(2), dense: new Float32Array(0), offset: new Float32Array(1) }
    for (const label of [-3, -3, -1, -3]) await deep.learn(input, Float32Array.of(label), Uint8Array.of(MASK_COUNTED))
    const { heads } = (await deep.saveState()).arrays
    const [a, , c] = Array.isArray(heads) ? (heads[0] as Float64Array) : []
    const { shares } = await deep.predict({ ...input, embedded: new Float32Array(2).fill(Number.NaN) })
    assert.deepEqual([...shares], [a! / (a! + c!), 1, c! / (a! + c!)].map(Math.fround))
    await deep.close()
  })

  test('keeps predictions in their natural ranges', async () => {
    const settings = spec('shared-bottom', 'manual')
    const deep = await DeepModel.create(settings, backend)
    const batch = randomBatch(settings, 200, new Random(2))
    for (const value of batch.input.embedded.keys()) batch.input.embedded[value]! *= 50
    const { values } = await deep.predict(batch.input)
    for (let i = 0; i < 200; i++) {
      const [click, rating, stars, , levels] = values.subarray(i * MIXED.length, (i + 1) * MIXED.length)
      assert.ok(click! >= 0 && click! <= 1)
      for (const value of [rating!, stars!, levels!]) assert.ok(value >= 1 && value <= 5, `${value}`)
    }
    await deep.close()
  })

  for (const architecture of ARCHITECTURES) {
    test(`gives a masked label no influence, whatever it holds: ${architecture}`, async () => {
      const settings = spec(architecture, 'gradnorm')
      const [batch] = batches(settings, 3)
      const outcomes = []
      for (const garbage of [0, Number.NaN, Number.POSITIVE_INFINITY, 1e30]) {
        const deep = await DeepModel.create(settings, backend)
        const labels = batch!.labels.map((label, i) => (batch!.mask[i] ? label : garbage))
        const step = await deep.learn(batch!.input, labels, batch!.mask)
        outcomes.push({ step, state: await deep.saveState() })
        await deep.close()
      }
      for (const outcome of outcomes) assert.deepEqual(outcome, outcomes[0])
      const { offsetGradient } = outcomes[0]!.step
      for (const [i, counted] of batch!.mask.entries()) {
        if (counted === 0) assert.equal(Math.abs(offsetGradient[i]!), 0)
      }
    })

    test(`shows a value that is not a number in the loss: ${architecture}`, async () => {
      const standard = spec(architecture, 'manual')
      // Without the interaction nothing of a row reaches the loss but through the activations.
      const settings = { ...standard, model: { ...standard.model, interaction: 'none' as const, hidden: [64, 32] } }
      const [batch] = batches(settings, 3)
      for (const part of ['embedded', 'dense', 'offset'] as const) {
        const deep = await DeepModel.create(settings, backend)
        const input = { ...batch!.input, [part]: batch!.input[part].with(0, Number.NaN) }
        assert.ok(Number.isNaN((await deep.learn(input, batch!.labels, batch!.mask)).loss), part)
        await deep.close()
      }
      for (const task of MIXED.keys()) {
        const deep = await DeepModel.create(settings, backend)
        const labels = batch!.labels.with(task, Number.NaN)
        assert.ok(Number.isNaN((await deep.learn(batch!.input, labels, batch!.mask.with(task, 1))).loss), `${task}`)
        await deep.close()
      }
    })
  }

  test('a label of 0 and what takes it back are together the label 1, alone and in a funnel', async () => {
    const tasks = [
      { name: 'click' },
      { name: 'buy', given: 'click' },
      { name: 'rating', head: 'regression', range: [1, 5] },
    ]
    const settings = deepSpec({ tasks, slots: 1, dense: 2, model: { hidden: [6], tower: 4, dim: 4 } })
    const { input } = randomBatch(settings, 1, new Random(4))
    const twice = <A extends Float32Array>(array: A) => Float32Array.of(...array, ...array)
    const both = { n: 2, embedded: twice(input.embedded), dense: twice(input.dense), offset: twice(input.offset) }
    const one = await DeepModel.create(settings, backend)
    const other = await DeepModel.create(settings, backend)
    const counted = MASK_COUNTED | MASK_REACHED
    const takenBack = MASK_TAKEN_BACK | MASK_STEP_TAKEN_BACK
    const exact = await one.learn(input, Float32Array.of(1, 1, 0), Uint8Array.of(counted, counted, 0))
    const late = await other.learn(
      both,
      Float32Array.of(0, 0, Number.NaN, 1, 1, Number.NaN),
      Uint8Array.of(counted, counted, 0, takenBack, takenBack, 0),
    )
    assert.ok(Math.abs(late.loss - exact.loss) < 1e-5)
    for (const gradient of ['embeddedGradient', 'offsetGradient'] as const) {
      const width = exact[gradient].length
      for (const [i, value] of exact[gradient].entries()) {
        const sum = (late[gradient][i] ?? 0) + (late[gradient][i + width] ?? 0)
        assert.ok(Math.abs(sum - value) < 1e-5, `${gradient} ${i}: ${sum}, not ${value}`)
      }
    }
    // So is the base rate that the head starts from.
    const [heads, lateHeads] = [await one.saveState(), await other.saveState()].map(({ arrays }) => arrays.heads)
    assert.deepEqual(lateHeads, heads)
    await one.close()
    await other.close()
  })

  test('changes nothing for an empty batch', async () => {
    const settings = spec('shared-bottom', 'uncertainty')
    const deep = await DeepModel.create(settings, backend)
    const before = await deep.saveState()
    const step = await learn(deep, randomBatch(settings, 0, new Random(1)))
    assert.equal(step.loss, 0)
    assert.equal((await deep.predict(randomBatch(settings, 0, new Random(1)).input)).values.length, 0)
    assert.deepEqual(await deep.saveState(), before)
    await deep.close()
  })

  test('takes buffers that are longer than the batch', async () => {
    const settings = spec('mmoe', 'manual')
    const [exact] = batches(settings, 8)
    const { n, embedded, dense, offset } = exact!.input
    const longer = (array: Float32Array) => Float32Array.of(...array, ...array)
    const input = { n, embedded: longer(embedded), dense: longer(dense), offset: longer(offset) }
    const one = await DeepModel.create(settings, backend)
    const two = await DeepModel.create(settings, backend)
    assert.deepEqual(await one.predict(input), await two.predict(exact!.input))
    assert.deepEqual(
      await one.learn(input, longer(exact!.labels), Uint8Array.of(...exact!.mask, ...exact!.mask)),
      await learn(two, exact!),
    )
    for (const deep of [one, two]) await deep.close()
  })

  test('counts each label once: a batch in two halves has the same losses and gradients', async () => {
    const settings = spec('shared-bottom', 'manual')
    const whole = randomBatch(settings, 20, new Random(4))
    const half = (start: number): Batch => {
      const rows = <T extends Float32Array | Uint8Array>(array: T, width: number) =>
        array.slice(start * width, (start + 10) * width) as T
      const { embedded, dense, offset } = whole.input
      return {
        input: { n: 10, embedded: rows(embedded, 12), dense: rows(dense, 2), offset: rows(offset, MIXED.length) },
        labels: rows(whole.labels, MIXED.length),
        mask: rows(whole.mask, MIXED.length),
      }
    }
    // Without the price task: its first labels decide its units.
    for (let i = 3; i < whole.mask.length; i += MIXED.length) whole.mask[i] = 0
    const steps = []
    for (const batch of [whole, half(0), half(10)]) {
      const deep = await DeepModel.create(settings, backend)
      steps.push(await learn(deep, batch))
      await deep.close()
    }
    const [all, left, right] = steps
    assert.ok(Math.abs(all!.loss - left!.loss - right!.loss) < 1e-4 * all!.loss)
    const halves = [...left!.embeddedGradient, ...right!.embeddedGradient]
    for (const [i, gradient] of all!.embeddedGradient.entries()) assert.ok(Math.abs(gradient - halves[i]!) < 1e-5)
  })

  test('a factor on a label is so many labels, and 0 is none', async () => {
    const settings = spec('shared-bottom', 'manual')
    const { input, labels, mask } = randomBatch(settings, 12, new Random(9))
    // Without the price task: its first labels decide its units.
    for (let i = 3; i < mask.length; i += MIXED.length) mask[i] = 0
    const gradientsOf = async (counted: Uint8Array, factors?: Float32Array) => {
      const deep = await DeepModel.create(settings, backend)
      const step = await deep.learn(input, labels, counted, factors)
      await deep.close()
      return step
    }
    const plain = await gradientsOf(mask)
    const doubled = await gradientsOf(mask, new Float32Array(mask.length).fill(2))
    for (const [i, gradient] of plain.embeddedGradient.entries())
      assert.ok(Math.abs(doubled.embeddedGradient[i]! - 2 * gradient) < 1e-5)
    assert.ok(Math.abs(doubled.loss - 2 * plain.loss) < 1e-4 * plain.loss)
    const without = Uint8Array.from(mask, (bits, at) => (at < 6 * MIXED.length ? bits : 0))
    const zeroed = await gradientsOf(
      mask,
      Float32Array.from(mask, (_, at) => (at < 6 * MIXED.length ? 1 : 0)),
    )
    const fewer = await gradientsOf(without)
    assert.deepEqual(zeroed.embeddedGradient, fewer.embeddedGradient)
    assert.deepEqual(zeroed.offsetGradient, fewer.offsetGradient)
  })

  test('refuses the state of another network', async () => {
    const one = await DeepModel.create(spec('mmoe', 'manual'), backend)
    const other = await DeepModel.create(spec('shared-bottom', 'manual'), backend)
    const state = loaded(await one.saveState())
    await assert.rejects(
      other.loadState(state),
      error => error instanceof MillraceError && error.code === 'CHECKPOINT_INCOMPATIBLE',
    )
    for (const deep of [one, other]) await deep.close()
  })

  test('starts from the seed: the same seed the same weights, another seed others', async () => {
    const settings = spec('mmoe', 'manual')
    const states = []
    for (const seed of [1, 1, 2]) {
      const deep = await DeepModel.create({ ...settings, model: { ...settings.model, seed } }, backend)
      states.push((await deep.saveState()).arrays.parameters)
      await deep.close()
    }
    assert.deepEqual(states[0], states[1])
    assert.notDeepEqual(states[0], states[2])
  })
})

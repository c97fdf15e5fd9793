/** The fast part and the stack against numpy: see test/golden/fast/make.py. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { FACTORS } from '../../../../src/model/fast/constants.js'
import { BLOCK, FactorMachine } from '../../../../src/model/fast/factor-machine.kernel.js'
import { Stack } from '../../../../src/model/stack/stack.kernel.js'
import { packageRoot } from '../../../../src/std/package-root.js'

interface Golden {
  users: number
  ids: number
  starts: number[][]
  cases: {
    name: string
    link: 'gaussian' | 'logistic'
    weights: number[]
    biasVariances: number[]
    log: {
      asking: number[]
      answered: number[]
      bias: number[]
      dense: number[]
      y: number
      inputs: number[]
      z: number
      stacked: number
    }[]
  }[]
}

const golden: Golden = JSON.parse(readFileSync(join(packageRoot(), 'test/golden/fast/two-speed.json'), 'utf8'))
/** Means and variances are kept as float32. */
const TOLERANCE = 2e-5

for (const { name, link, log, weights, biasVariances } of golden.cases) {
  const isWeighted = name === 'fake negatives'
  test(`the ${link} filter predicts and learns as in numpy: ${name}`, () => {
    const machine = new FactorMachine(link, 0, 0.5, Int32Array.of(0, 1))
    const records = golden.starts.map((start, value) => {
      const record = new Float32Array(BLOCK)
      machine.startBlock(record, 0, value < golden.ids, at => record.set(start.slice(0, FACTORS), at))
      return record
    })
    for (const [index, { asking, answered, bias, dense, y, z }] of log.entries()) {
      const values = [...asking, ...answered, ...bias]
      const refs = {
        asking: asking.length,
        factored: asking.length + answered.length,
        count: values.length,
        slabs: values.map(value => records[value] ?? new Float32Array(0)),
        at: new Int32Array(values.length),
        isId: Uint8Array.from(values, value => (value < golden.ids ? 1 : 0)),
      }
      const inputs = Float32Array.from(dense)
      assert.ok(Math.abs(machine.predict(refs, inputs, 0) - z) < TOLERANCE, `event ${index}`)
      machine.learn(refs, inputs, 0, y, isWeighted)
    }
    for (const [value, variance] of biasVariances.entries()) {
      assert.ok(Math.abs((records[value]?.[1] ?? 0) - variance) < TOLERANCE, `variance of ${value}`)
    }
  })

  test(`the ${link} stack predicts and learns as in numpy: ${name}`, () => {
    const stack = new Stack(link, [1 / 3, 1 / 3, 1 / 3])
    for (const [index, { inputs, y, stacked }] of log.entries()) {
      stack.inputs.set(inputs)
      assert.ok(Math.abs(stack.predict() - stacked) < 1e-7, `event ${index}`)
      stack.learn(y, isWeighted)
    }
    for (const [input, weight] of weights.entries()) {
      assert.ok(Math.abs((stack.weights[input] ?? 0) - weight) < 1e-7, `weight ${input}`)
    }
  })
}

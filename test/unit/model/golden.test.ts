import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Backend } from '../../../src/backend/backend.js'
import { createOnnxBackend } from '../../../src/backend/onnx.js'
import { createTensorFlowBackend, createTfjsBackend } from '../../../src/backend/tfjs.js'
import { DeepModel } from '../../../src/model/deep-model.js'
import { packageRoot } from '../../../src/std/package-root.js'
import { withoutTensorFlow } from '../../helpers/tensorflow.js'
import { deepSpec, loaded, type SpecOptions } from './deep-spec.js'

/** Made by test/golden/step/make.py in float64. */
const FOLDER = join(packageRoot(), 'test/golden/step')
const BACKENDS: { name: string; create: () => Promise<Backend>; skip?: string | undefined }[] = [
  { name: 'onnx', create: () => createOnnxBackend({ threads: 1 }) },
  { name: 'tfjs-cpu', create: () => createTfjsBackend('tfjs-cpu') },
  { name: 'tfjs-node-gpu', create: () => createTensorFlowBackend(1), skip: withoutTensorFlow },
]

interface Golden {
  settings: {
    tasks: SpecOptions['tasks']
    slots: number
    dense: number
    method: string
    rate: number
    alpha: number
    bounds: number[]
    warmup: number
    adam: Record<string, number>
    [model: string]: unknown
  }
  start: Record<string, number[]>
  end: Record<string, number[]>
  steps: ({ n: number; loss: number; mask: number[] } & Record<(typeof COMPARED)[number] | 'embedded', number[]> &
    Record<'dense' | 'offset' | 'labels', number[]>)[]
}

const COMPARED = ['values', 'taskLosses', 'taskWeights', 'embeddedGradient', 'offsetGradient'] as const

/** float32 sums of a few hundred terms, and what Adam's root makes of them. */
const TOLERANCE = 2e-5

/** Gradients and parameters: relative to the largest. Else to the largest of the same task, since tasks have their own units. */
function assertClose(actual: ArrayLike<number>, expected: readonly number[], what: string, tasks?: number): void {
  assert.equal(actual.length, expected.length, what)
  const largest = Math.max(1e-3, ...expected.map(Math.abs))
  const byTask = (i: number, width: number) => expected.filter((_, at) => at % width === i % width).map(Math.abs)
  for (const [i, value] of expected.entries()) {
    const difference = Math.abs(Number(actual[i]) - value)
    const scale = tasks === undefined ? largest : Math.max(0.1, ...byTask(i, tasks))
    assert.ok(difference <= TOLERANCE * scale, `${what}[${i}] is ${actual[i]}, not ${value}`)
  }
}

/** The parameters in the order of the saved layout, `name[shape] name[shape] ...`. */
function flatten(layout: string, byName: Record<string, number[]>): Float32Array {
  return Float32Array.from(
    layout.split(' ').flatMap(entry => byName[entry.slice(0, entry.indexOf('['))] ?? [Number.NaN]),
  )
}

for (const backend of BACKENDS) {
  for (const file of readdirSync(FOLDER).filter(name => name.endsWith('.json'))) {
    test(`${backend.name} makes the steps of PyTorch in float64: ${file.replace('.json', '')}`, {
      skip: backend.skip ?? false,
    }, async () => {
      const { settings, start, steps, end }: Golden = JSON.parse(readFileSync(join(FOLDER, file), 'utf8'))
      const { tasks, slots, dense, adam, method, rate, alpha, bounds, warmup, ...model } = settings
      const weights = { method, rate, alpha, bounds, warmup }
      const spec = deepSpec({ tasks, slots, dense, model, optimizer: adam, weights })
      const engine = await backend.create()
      const deep = await DeepModel.create(spec, engine)
      const fresh = await deep.saveState()
      const { layout } = fresh.meta as { layout: string }
      await deep.loadState(loaded({ ...fresh, arrays: { ...fresh.arrays, parameters: flatten(layout, start) } }))
      for (const [i, step] of steps.entries()) {
        const input = {
          n: step.n,
          embedded: Float32Array.from(step.embedded),
          dense: Float32Array.from(step.dense),
          offset: Float32Array.from(step.offset),
        }
        // What is masked must not matter.
        const labels = Float32Array.from(step.labels, (label, at) => (step.mask[at] ? label : Number.NaN))
        const { values: before } = await deep.predict(input)
        const result = await deep.learn(input, labels, Uint8Array.from(step.mask))
        assertClose([result.loss], [step.loss], `step ${i} loss`, 1)
        for (const name of COMPARED)
          assertClose(
            result[name],
            step[name],
            `step ${i} ${name}`,
            name.endsWith('Gradient') ? undefined : tasks.length,
          )
        // Before its first label, a regression without a range does not know where it stands.
        if (i > 0) assertClose(before, step.values, `step ${i} predict`, tasks.length)
      }
      const { parameters } = (await deep.saveState()).arrays
      assertClose(parameters as Float32Array, [...flatten(layout, end)], 'parameters')
      await deep.close()
      await engine.close()
    })
  }
}

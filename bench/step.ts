/**
 * How fast one whole training step is, beside PyTorch: DeepModel.learn (host batch in; predictions, loss and dL/dx on the
 * host out; Adam) on an MMoE 160 → 4 × (128 → 64), 3 tasks, tower 32, batch 1024, one thread.
 *
 * All sides take turns within each round on the same machine, so that other load hits them alike; a round's ratio is
 * PyTorch's median time over ours (above 1: we are faster). Not measured here: embedding tables, features, the stream.
 *
 *   node .build/bench/step.js [PYTHON WITH TORCH]
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'
import type { Backend } from '../src/backend/backend.js'
import { createOnnxBackend } from '../src/backend/onnx.js'
import { createTensorFlowBackend } from '../src/backend/tfjs.js'
import { type ConfigInput, configSchema } from '../src/config/schema.js'
import { type DeepInput, DeepModel } from '../src/model/deep-model.js'
import { packageRoot } from '../src/std/package-root.js'
import { Random } from '../src/std/random.js'

const SHAPE = { slots: 9, dim: 16, dense: 16, hidden: [128, 64], experts: 4, tower: 32, batch: 1024, tasks: 3 }
const ROUNDS = 7
const STEPS_PER_ROUND = 20
const WARMUP_STEPS = 10

interface Side {
  name: string
  description: string
  /** Milliseconds of each of so many steps. */
  measure(steps: number): Promise<number[]>
  close(): Promise<void>
}

export interface StepResult {
  shape: typeof SHAPE
  /** Median over rounds of the round's median. */
  sides: { name: string; description: string; stepMs: number; samplesPerSecond: number }[]
  /** PyTorch's time over ours, per round. */
  ratios: { name: string; min: number; median: number; rounds: number[] }[]
  /** What could not be measured, and why. */
  missing: { name: string; reason: string }[]
}

export async function benchStep({ python = 'python3', threads = 1 } = {}): Promise<StepResult> {
  const makers: [string, () => Promise<Side>][] = [
    ['onnx', async () => ours('onnx', await createOnnxBackend({ threads }))],
    ['tfjs-node-gpu', async () => ours('tfjs-node-gpu', await createTensorFlowBackend(threads))],
    ['torch', () => torch(python, threads)],
  ]
  const sides: Side[] = []
  const missing: StepResult['missing'] = []
  for (const [name, make] of makers) {
    try {
      sides.push(await make())
    } catch (error) {
      missing.push({ name, reason: error instanceof Error ? error.message : String(error) })
    }
  }
  const rounds: Record<string, number>[] = []
  for (const side of sides) await side.measure(WARMUP_STEPS)
  for (let round = 0; round < ROUNDS; round++) {
    const medians: Record<string, number> = {}
    for (const side of sides) medians[side.name] = median(await side.measure(STEPS_PER_ROUND))
    rounds.push(medians)
  }
  for (const side of sides) await side.close()
  return { ...summary(sides, rounds), missing }
}

function summary(sides: readonly Side[], rounds: readonly Record<string, number>[]): Omit<StepResult, 'missing'> {
  const of = (name: string) => rounds.map(medians => medians[name] ?? Number.NaN)
  const others = sides.some(side => side.name === 'torch') ? sides.filter(side => side.name !== 'torch') : []
  return {
    shape: SHAPE,
    sides: sides.map(({ name, description }) => {
      const stepMs = median(of(name))
      return { name, description, stepMs: rounded(stepMs), samplesPerSecond: Math.round((SHAPE.batch / stepMs) * 1000) }
    }),
    ratios: others.map(({ name }) => {
      const each = of(name).map((ms, i) => rounded((of('torch')[i] ?? Number.NaN) / ms))
      return { name, min: Math.min(...each), median: median(each), rounds: each }
    }),
  }
}

async function ours(name: string, backend: Backend): Promise<Side> {
  const { slots, dim, dense, batch } = SHAPE
  const { deep, tasks } = await createBenchModel(backend, slots, dense)
  const random = new Random(1)
  const uniform = (size: number) => Float32Array.from({ length: size }, () => random.uniform() * 2 - 1)
  const batches = [0, 1, 2, 3].map((): { input: DeepInput; labels: Float32Array } => ({
    input: {
      n: batch,
      embedded: uniform(batch * slots * dim),
      dense: uniform(batch * dense),
      offset: uniform(batch * tasks.length),
    },
    labels: Float32Array.from({ length: batch * tasks.length }, (_, i) => (i % 3 === 2 ? 1 + (i % 5) : i % 2)),
  }))
  const mask = new Uint8Array(batch * tasks.length).fill(1)
  return {
    name,
    description: backend.description,
    async measure(steps) {
      const took: number[] = []
      for (let i = 0; i < steps; i++) {
        const { input, labels } = batches[i % batches.length]!
        const start = performance.now()
        await deep.learn(input, labels, mask)
        took.push(performance.now() - start)
      }
      return took
    },
    async close() {
      await deep.close()
      await backend.close()
    },
  }
}

/** The network of SHAPE over so many slots and numeric inputs. */
export async function createBenchModel(backend: Backend, slots: number, dense: number) {
  const { dim, hidden, experts, tower } = SHAPE
  const label = { event: 'rating' }
  const input = {
    tasks: [
      { name: 'click', label },
      { name: 'buy', label },
      { name: 'rating', head: 'regression', range: [1, 5], label },
    ],
    features: { slots: [{ name: 'user', from: 'user' }] },
    model: { architecture: 'mmoe', hidden, experts, tower, dim, interaction: 'none' },
  }
  const config = configSchema.parse(input as unknown as ConfigInput)
  const { tasks, model, weights } = config
  const spec = { tasks, slots, dense, model, optimizer: config.optimizer.dense, weights }
  return { deep: await DeepModel.create(spec, backend), tasks }
}

/** A Python process that waits for its turn. */
async function torch(python: string, threads: number): Promise<Side> {
  const { slots, dim, dense, hidden, experts, tower, batch, tasks } = SHAPE
  const numbers = [slots * dim + dense, ...hidden, experts, tasks, tower, batch, threads]
  const script = join(packageRoot(), 'bench/torch_step.py')
  const child = spawn(python, [script, ...numbers.map(String)], { stdio: ['pipe', 'pipe', 'pipe'] })
  const stderr: string[] = []
  child.stderr.on('data', data => stderr.push(String(data)))
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const answer = async (): Promise<unknown> => {
    const { value, done } = await lines.next()
    if (done) throw new Error(`PyTorch does not run: ${stderr.join('').trim().split('\n').at(-1) ?? ''}`)
    return JSON.parse(value)
  }
  await started(child, python)
  const description = String(await answer())
  return {
    name: 'torch',
    description,
    async measure(steps) {
      child.stdin.write(`${steps}\n`)
      return (await answer()) as number[]
    },
    async close() {
      child.stdin.end()
      await once(child, 'exit')
    },
  }
}

async function started(child: ChildProcess, python: string): Promise<void> {
  try {
    await once(child, 'spawn')
  } catch {
    throw new Error(`${python} can not be started`)
  }
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[sorted.length >> 1] ?? Number.NaN
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [, , python] = process.argv
  console.log(JSON.stringify(await benchStep(python === undefined ? {} : { python }), null, 2))
}

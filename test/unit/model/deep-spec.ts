/** Specs and batches for the tests of the deep part. */
import { type ConfigInput, configSchema } from '../../../src/config/schema.js'
import type { LoadedState, PartState, StateArray } from '../../../src/domain/state.js'
import type { DeepInput, DeepModelSpec } from '../../../src/model/deep-model.js'
import type { Random } from '../../../src/std/random.js'

type Tasks = readonly {
  name: string
  head?: string
  given?: string
  prior?: number
  range?: readonly number[]
  late?: string
  /** label.keepNegatives. */
  keep?: number
  classes?: readonly string[]
  of?: readonly string[]
}[]

export interface SpecOptions {
  tasks: Tasks
  slots: number
  dense: number
  model?: Record<string, unknown>
  optimizer?: Record<string, number>
  weights?: Record<string, unknown>
}

/** Everything that is not named has the default of the configuration. */
export function deepSpec({
  tasks,
  slots,
  dense,
  model = {},
  optimizer = {},
  weights = {},
}: SpecOptions): DeepModelSpec {
  const input = {
    tasks: tasks.map(({ late, keep, classes, of, ...task }) => ({
      ...task,
      label: {
        event: task.head ? 'rating' : 'click',
        ...(late && { late }),
        ...(keep && { keepNegatives: keep }),
        classes,
        of,
      },
    })),
    features: { slots: [{ name: 'user', from: 'user' }] },
    model,
    optimizer: { dense: optimizer },
    weights,
  }
  const config = configSchema.parse(input as unknown as ConfigInput)
  return {
    tasks: config.tasks,
    slots,
    dense,
    model: config.model,
    optimizer: config.optimizer.dense,
    weights: config.weights,
  }
}

export interface Batch {
  input: DeepInput
  labels: Float32Array
  mask: Uint8Array
}

/** Inputs from a normal distribution, labels 0 or 1 (or 1 to 5 where the task has a range), 3 of 4 counted. */
export function randomBatch(spec: DeepModelSpec, n: number, random: Random): Batch {
  const normals = (size: number) => Float32Array.from({ length: size }, () => random.normal())
  const tasks = spec.tasks.length
  const labels = Float32Array.from({ length: n * tasks }, (_, i) =>
    spec.tasks[i % tasks]?.range === undefined ? random.integer(2) : 1 + random.integer(5),
  )
  const mask = Uint8Array.from({ length: n * tasks }, () => (random.integer(4) > 0 ? 1 : 0))
  const embedded = normals(n * spec.slots * spec.model.dim)
  const dense = normals(n * spec.dense)
  return { input: { n, embedded, dense, offset: new Float32Array(n * tasks) }, labels, mask }
}

/** As a checkpoint gives it back. */
export function loaded({ meta, arrays }: PartState): LoadedState {
  const joined = Object.entries(arrays).map(([name, value]): [string, StateArray] => {
    if (!Array.isArray(value)) return [name, value]
    const bytes = value.flatMap(slab => [...(slab as Float64Array)])
    return [name, Float64Array.from(bytes)]
  })
  return { meta: JSON.parse(JSON.stringify(meta)), arrays: Object.fromEntries(joined) }
}

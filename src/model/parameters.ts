/**
 * The dense parameters as one flat float32 vector: the backend then moves three tensors between steps (weights and two
 * Adam moments) however many layers there are, and Adam is a dozen element-wise ops instead of a dozen a layer.
 *
 * A parameter's place in the vector follows from the order of declaration, which follows from the configuration alone.
 * Initial values come from one seeded generator in that order: He (2015) before a ReLU, else uniform in
 * ±1/√fanIn (LeCun 1998), which keeps first predictions near the base rate.
 */
import { MillraceError } from '../domain/errors.js'
import { Random } from '../std/random.js'

type Initial =
  | { kind: 'he'; fanIn: number }
  | { kind: 'uniform'; fanIn: number }
  | { kind: 'constant'; value: number }
  | { kind: 'values'; values: readonly number[] }

export interface ParameterSpec {
  name: string
  shape: readonly number[]
  initial: Initial
}

interface PlacedParameter extends ParameterSpec {
  start: number
  size: number
}

export interface ParameterLayout {
  parameters: readonly PlacedParameter[]
  /** Length of the flat vector. */
  size: number
}

export function layOut(specs: readonly ParameterSpec[]): ParameterLayout {
  let size = 0
  const parameters = specs.map(spec => {
    const placed = { ...spec, start: size, size: spec.shape.reduce((product, dim) => product * dim, 1) }
    size += placed.size
    return placed
  })
  if (new Set(specs.map(spec => spec.name)).size !== specs.length)
    throw new MillraceError('INTERNAL', 'model: two parameters have the same name')
  return { parameters, size }
}

export function initialValues(layout: ParameterLayout, seed: number): Float32Array {
  const random = new Random(seed)
  const flat = new Float32Array(layout.size)
  for (const { initial, start, size } of layout.parameters) {
    for (let i = 0; i < size; i++) flat[start + i] = draw(initial, i, random)
  }
  return flat
}

function draw(initial: Initial, i: number, random: Random): number {
  switch (initial.kind) {
    case 'he':
      return random.normal() * Math.sqrt(2 / initial.fanIn)
    case 'uniform':
      return (random.uniform() * 2 - 1) / Math.sqrt(initial.fanIn)
    case 'constant':
      return initial.value
    case 'values':
      return initial.values[i] ?? 0
  }
}

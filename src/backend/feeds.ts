/** What every backend checks of a run's inputs before it touches them, and of state that is written. */
import { MillraceError } from '../domain/errors.js'
import type { Graph, GraphState, Shape } from '../graph/graph.js'
import type { HostTensor } from './backend.js'

function refuse(message: string): never {
  throw new MillraceError('INTERNAL', `backend: ${message}`)
}

/** Throws unless the feeds are the graph's inputs in its shapes. The result is the size of 'B', 1 if no input has it. */
export function checkFeeds(graph: Graph, feeds: Record<string, HostTensor>): number {
  let batch: number | undefined
  for (const { attributes, shape } of graph.inputs) {
    const { name } = attributes
    const feed = feeds[name]
    if (!feed) refuse(`input ${name} is not fed`)
    const { data, dims } = feed
    if (data.buffer instanceof SharedArrayBuffer) refuse(`input ${name} is in shared memory; copy it first`)
    const open = shape.indexOf('B')
    if (open >= 0) batch ??= dims[open]
    if (dims.length !== shape.length || shape.some((dim, axis) => dims[axis] !== (dim === 'B' ? batch : dim)))
      refuse(`input ${name} is [${dims}], not [${shape}]${batch === undefined ? '' : ` with B = ${batch}`}`)
    if (data.length !== dims.reduce((product, dim) => product * dim, 1))
      refuse(`input ${name} has ${data.length} elements for [${dims}]`)
  }
  const names = Object.keys(feeds)
  if (names.length > graph.inputs.length) refuse(`of the feeds ${names}, not all are inputs of the graph`)
  if (batch === 0) refuse('the batch is empty')
  return batch ?? 1
}

export function atBatch(shape: Shape, batch: number): number[] {
  return shape.map(dim => (dim === 'B' ? batch : dim))
}

export function stateSize(state: GraphState): number {
  return state.shape.reduce((product, dim) => product * dim, 1)
}

/** Throws unless `data` fits the state. */
export function checkState(state: GraphState, data: Float32Array): void {
  if (data.length !== stateSize(state))
    refuse(`state ${state.name} is [${state.shape}], and was given ${data.length} elements`)
}

/** The states by name; throws for names that the graph does not have. */
export function statesByName(graph: Graph, names: readonly string[]): GraphState[] {
  return names.map(name => graph.state.find(state => state.name === name) ?? refuse(`there is no state ${name}`))
}

/** Throws unless every state of `graph` is one of `owner`, in its shape, and none is assigned. */
export function checkSharing(graph: Graph, owner: Graph): void {
  for (const state of graph.state) {
    if (state.output) refuse(`state ${state.name} is shared, so this graph may not assign it`)
    const owned = owner.state.find(({ name }) => name === state.name)
    if (!owned) refuse(`state ${state.name} is not in the graph it is shared from`)
    if (`${owned.shape}` !== `${state.shape}`)
      refuse(`state ${state.name} is [${state.shape}] here and [${owned.shape}] in the graph it is shared from`)
  }
}

/**
 * A backend runs step graphs. It owns compiled graphs and device memory; arrays that go in and out are plain (not
 * shared) float32 arrays in row-major order.
 *
 * compile() is called at start-up, once a graph. run() is synchronous in effect: it blocks its thread until the outputs
 * are on the host, and resolves. Inputs may be reused by the caller as soon as run() has resolved. State inputs (weights,
 * optimiser moments) can stay with the backend between runs: a graph names pairs `state: {input, output}`; the backend
 * feeds each pair's output back as the next run's input, so that nothing is copied to the host until readState().
 *
 * Determinism: the same graph, inputs, backend kind, thread count and machine type give the same bytes.
 *
 * Errors: BACKEND_UNAVAILABLE from create functions. run() does not look for NaN; the learner looks at the loss.
 */
import type { Graph } from '../graph/graph.js'

export interface HostTensor {
  data: Float32Array
  dims: readonly number[]
}

export interface CompiledGraph {
  /** Feeds by input name, every non-state input of the graph; gives every non-state output by name. */
  run(feeds: Record<string, HostTensor>): Promise<Record<string, HostTensor>>
  /** The current value of each state pair by its input name. */
  readState(): Promise<Record<string, Float32Array>>
  writeState(state: Record<string, Float32Array>): Promise<void>
  close(): Promise<void>
}

export interface Backend {
  /** 'onnx', 'tfjs-node-gpu', 'tfjs-wasm', 'tfjs-cpu' */
  readonly kind: string
  /** For logs, metrics and the health page: library, version, device, threads. */
  readonly description: string
  /**
   * `sharing`: take the values of equally named state inputs from that graph at each run (a predict graph that reads the
   * weights which the train graph moves). A graph that shares does not own state and must not assign any.
   */
  compile(graph: Graph, sharing?: CompiledGraph): Promise<CompiledGraph>
  close(): Promise<void>
}

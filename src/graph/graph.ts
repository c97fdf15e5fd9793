/**
 * The step graph: a model step (forward, losses, gradients, optimiser) defined once, run by any backend.
 *
 * A GraphBuilder is used once: declare inputs and state, apply ops, name outputs, say with assign() what each state is
 * in the next run, then build(). Shapes are checked as ops are applied. Equal sub-expressions are merged and ops that do
 * nothing are dropped; build() drops what no output and no assignment needs. `gradients` (gradient.ts) adds the backward
 * pass to the same builder.
 *
 * The contract between models and backends: both import it, and never each other.
 *
 * What is fast (measured on a CPU with batches of 1024; every backend likes few large ops):
 * - relu(add(matMul(x, w), b)) of rank 2 with a rank-1 b is one kernel in onnx; in rank 3 it is three.
 * - In onnx a transpose before a matMul is free, even one that moves the batch axis; elsewhere it is a pass over memory.
 * - Sums of products are matMuls: with matMul(gates [B, K, E], experts [B, E, H]) an MMoE step takes 9.6 ms, with the sum
 *   of the [K, E, B, H] of all products, which has to be written and read, 11.6 ms.
 * - Parameters sliced from one flat state get their gradient by one concat, and an optimiser runs once for all of them.
 * - A product with greater() takes three quarters of the time of where(), and relu's own gradient half.
 */
import { type Attributes, type ComputedOp, type LeafOp, NO_ATTRIBUTES, type Node, type Shape } from './node.js'
import type { Emitter, Operand } from './rule.js'
import { RULES } from './rules.js'
import { elements, graphError, isStatic, normalAxis, sameShape, shapeText } from './shape.js'
import { simplify } from './simplify.js'

export type { Attributes, Node, OpName, Shape } from './node.js'
export type { Operand } from './rule.js'

export interface GraphState {
  readonly name: string
  readonly shape: readonly number[]
  readonly input: Node
  /** Its value for the next run; undefined: it stays as it is. */
  readonly output: Node | undefined
}

export interface Graph {
  /** In topological order: every input of a node stands before it. Declared inputs and states are always there. */
  readonly nodes: readonly Node[]
  readonly inputs: readonly Node[]
  readonly state: readonly GraphState[]
  readonly outputs: readonly { readonly name: string; readonly node: Node }[]
}

/** Constants up to this many elements are merged when equal. */
const MERGED_CONSTANT = 64

export class GraphBuilder implements Emitter {
  #nextId = 0
  readonly #known = new Map<string, Node>()
  readonly #inputs = new Map<string, Node>()
  readonly #states = new Map<string, Node>()
  readonly #assigned = new Map<string, Node>()
  readonly #outputs = new Map<string, Node>()

  /** Fed at every run. */
  input(name: string, shape: Shape): Node {
    return this.#declare(this.#inputs, 'input', name, shape)
  }

  /** An input that the backend keeps between runs: zeros until written. */
  state(name: string, shape: Shape): Node {
    if (!isStatic(shape)) throw graphError(`state ${name} must have a static shape, not ${shapeText(shape)}`)
    return this.#declare(this.#states, 'state', name, shape)
  }

  /** The value of a state for the next run. */
  assign(name: string, next: Node): void {
    const state = this.#states.get(name)
    if (!state) throw graphError(`assign: there is no state ${name}`)
    if (this.#assigned.has(name)) throw graphError(`assign: state ${name} is assigned twice`)
    if (!sameShape(state.shape, next.shape))
      throw graphError(`assign: state ${name} is ${shapeText(state.shape)}, not ${shapeText(next.shape)}`)
    this.#assigned.set(name, next)
  }

  /** A number fills the shape; without a shape it is a scalar. */
  constant(value: number | Float32Array, shape: Shape = []): Node {
    const { known, open } = elements(shape)
    if (open > 0) throw graphError(`constant: ${shapeText(shape)} is not static`)
    const data = typeof value === 'number' ? new Float32Array(known).fill(value) : value
    if (data.length !== known) throw graphError(`constant: ${data.length} values for ${shapeText(shape)}`)
    const bits = new Uint32Array(data.buffer, data.byteOffset, data.length <= MERGED_CONSTANT ? data.length : 0)
    const key = data.length <= MERGED_CONSTANT ? `constant ${shape.join()} ${bits.join()}` : `constant ${this.#nextId}`
    return this.#node(key, 'constant', [], shape, { value: data })
  }

  output(name: string, node: Node): void {
    if (this.#outputs.has(name)) throw graphError(`output ${name} is there twice`)
    this.#outputs.set(name, node)
  }

  /** Rank 2, or rank 3 with equal leading dimensions (1 broadcasts). */
  matMul(a: Node, b: Node, options: { transposeA?: boolean; transposeB?: boolean } = {}): Node {
    const { transposeA = false, transposeB = false } = options
    return this.#apply('matMul', [a, b], { transposeA, transposeB })
  }

  add(a: Operand, b: Operand): Node {
    return this.#apply('add', [a, b])
  }
  sub(a: Operand, b: Operand): Node {
    return this.#apply('sub', [a, b])
  }
  mul(a: Operand, b: Operand): Node {
    return this.#apply('mul', [a, b])
  }
  div(a: Operand, b: Operand): Node {
    return this.#apply('div', [a, b])
  }
  maximum(a: Operand, b: Operand): Node {
    return this.#apply('maximum', [a, b])
  }
  minimum(a: Operand, b: Operand): Node {
    return this.#apply('minimum', [a, b])
  }
  /** 1 where a > b, else 0; no gradient. */
  greater(a: Operand, b: Operand): Node {
    return this.#apply('greater', [a, b])
  }
  /** a where the condition is not 0, else b. */
  where(condition: Node, a: Operand, b: Operand): Node {
    return this.#apply('where', [condition, a, b])
  }

  neg(a: Node): Node {
    return this.#apply('neg', [a])
  }
  exp(a: Node): Node {
    return this.#apply('exp', [a])
  }
  log(a: Node): Node {
    return this.#apply('log', [a])
  }
  sqrt(a: Node): Node {
    return this.#apply('sqrt', [a])
  }
  square(a: Node): Node {
    return this.#apply('square', [a])
  }
  relu(a: Node): Node {
    return this.#apply('relu', [a])
  }
  sigmoid(a: Node): Node {
    return this.#apply('sigmoid', [a])
  }
  /** log(1 + exp(a)), safe for large |a|. log sigmoid(a) is neg(softplus(neg(a))). */
  softplus(a: Node): Node {
    return this.#apply('softplus', [a])
  }
  tanh(a: Node): Node {
    return this.#apply('tanh', [a])
  }
  abs(a: Node): Node {
    return this.#apply('abs', [a])
  }
  /** Over the last axis. */
  softmax(a: Node): Node {
    return this.#apply('softmax', [a])
  }

  /** Over all axes if none are given: a scalar. */
  sum(a: Node, axes: readonly number[] = a.shape.map((_, axis) => axis), keepDims = false): Node {
    const normal = [...new Set(axes.map(axis => normalAxis(axis, a.shape.length)))].sort((x, y) => x - y)
    return this.#apply('sum', [a], { axes: normal, keepDims })
  }
  reshape(a: Node, shape: Shape): Node {
    return this.#apply('reshape', [a], { target: shape })
  }
  transpose(a: Node, permutation: readonly number[]): Node {
    return this.#apply('transpose', [a], { permutation })
  }
  concat(nodes: readonly Node[], axis: number): Node {
    return this.#apply('concat', nodes, { axis: normalAxis(axis, nodes[0]?.shape.length ?? 0) })
  }
  slice(a: Node, axis: number, start: number, size: number): Node {
    return this.#apply('slice', [a], { axis: normalAxis(axis, a.shape.length), start, size })
  }
  /** The value of a; gradients do not pass. */
  stopGradient(a: Node): Node {
    return this.#apply('stopGradient', [a])
  }
  /** dy where y > 0, else 0. */
  reluGrad(dy: Node, y: Node): Node {
    return this.#apply('reluGrad', [dy, y])
  }
  /** a, broadcast to the shape of `like`, whose values do not matter. */
  expand(a: Node, like: Node): Node {
    return this.#apply('expand', [a, like])
  }

  build(): Graph {
    const wanted = new Set<Node>([...this.#inputs.values(), ...this.#states.values()])
    const stack = [...this.#outputs.values(), ...this.#assigned.values()]
    for (let node = stack.pop(); node; node = stack.pop()) {
      if (wanted.has(node)) continue
      wanted.add(node)
      stack.push(...node.inputs)
    }
    return {
      nodes: [...wanted].sort((a, b) => a.id - b.id),
      inputs: [...this.#inputs.values()],
      state: [...this.#states].map(([name, input]) => ({
        name,
        shape: input.shape.map(Number),
        input,
        output: this.#assigned.get(name),
      })),
      outputs: [...this.#outputs].map(([name, node]) => ({ name, node })),
    }
  }

  #declare(names: Map<string, Node>, op: LeafOp, name: string, shape: Shape): Node {
    if (this.#inputs.has(name) || this.#states.has(name)) throw graphError(`${op} ${name} is there twice`)
    const node = this.#node(`${op} ${name}`, op, [], shape, { name })
    names.set(name, node)
    return node
  }

  #apply(op: ComputedOp, operands: readonly Operand[], attributes: Partial<Attributes> = {}): Node {
    const inputs = operands.map(operand => (typeof operand === 'number' ? this.constant(operand) : operand))
    const all = { ...NO_ATTRIBUTES, ...attributes }
    const shape = RULES[op].shape(
      inputs.map(input => input.shape),
      all,
      op,
    )
    const simpler = simplify(this, op, inputs, shape, all)
    if (simpler) return simpler
    return this.#node(
      `${op} ${inputs.map(input => input.id)} ${JSON.stringify(attributes)}`,
      op,
      inputs,
      shape,
      attributes,
    )
  }

  #node(key: string, op: Node['op'], inputs: readonly Node[], shape: Shape, attributes: Partial<Attributes>): Node {
    const known = this.#known.get(key)
    if (known) return known
    const node: Node = {
      id: this.#nextId++,
      op,
      inputs,
      shape: [...shape],
      attributes: { ...NO_ATTRIBUTES, ...attributes },
    }
    this.#known.set(key, node)
    return node
  }
}

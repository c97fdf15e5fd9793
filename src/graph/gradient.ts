/**
 * Reverse-mode differentiation of a step graph, symbolically: the gradient is more nodes of the same graph, which can be
 * differentiated again. Each op's rule stands beside its shape under ops/; this file sums what several users of a node
 * send back, and keeps adjoints thin (see rule.ts) until something needs them in full.
 */
import type { GraphBuilder } from './graph.js'
import type { Node } from './node.js'
import type { Emitter } from './rule.js'
import { RULES } from './rules.js'
import { dimAt, graphError, padShape, shapeText } from './shape.js'

interface Part {
  readonly user: Node
  readonly adjoint: Node
}

/** dy/dx for each x, in the shape of x; zeros where y does not depend on x. y is a scalar. */
export function gradients(g: GraphBuilder, y: Node, xs: readonly Node[]): Node[] {
  if (y.shape.length > 0) throw graphError(`gradients of ${shapeText(y.shape)}: y must be a scalar`)
  const nodes = ancestors(y)
  const wanted = dependents(nodes, xs)
  const parts = new Map<Node, Part[]>([[y, [{ user: y, adjoint: g.constant(1) }]]])
  const adjoints = new Map<Node, Node>()
  for (const node of nodes.toReversed()) {
    const received = parts.get(node)
    if (!received || !wanted.has(node)) continue
    const dy = gather(g, node, received)
    adjoints.set(node, dy)
    const sent = inputAdjoints(g, node, dy, wanted)
    node.inputs.forEach((input, i) => {
      const adjoint = sent[i]
      if (!adjoint || !wanted.has(input)) return
      const list = parts.get(input)
      if (list) list.push({ user: node, adjoint })
      else parts.set(input, [{ user: node, adjoint }])
    })
  }
  return xs.map(x => full(g, adjoints.get(x) ?? g.constant(0), x))
}

/** y and everything it is computed from, in topological order. */
function ancestors(y: Node): Node[] {
  const found = new Set<Node>()
  const stack = [y]
  for (let node = stack.pop(); node; node = stack.pop()) {
    if (found.has(node)) continue
    found.add(node)
    stack.push(...node.inputs)
  }
  return [...found].sort((a, b) => a.id - b.id)
}

/** Nodes that an x can change, through ops that let gradients pass. */
function dependents(nodes: readonly Node[], xs: readonly Node[]): Set<Node> {
  const wanted = new Set(xs)
  for (const node of nodes) {
    if (passes(node) && node.inputs.some(input => wanted.has(input))) wanted.add(node)
  }
  return wanted
}

function passes(node: Node): boolean {
  return node.inputs.length > 0 && ruleOf(node)?.gradient !== undefined
}

function ruleOf(node: Node) {
  return node.op === 'input' || node.op === 'state' || node.op === 'constant' ? undefined : RULES[node.op]
}

function inputAdjoints(g: Emitter, y: Node, dy: Node, wanted: ReadonlySet<Node>): readonly (Node | undefined)[] {
  if (!y.inputs.some(input => wanted.has(input))) return []
  const x = (i: number): Node => {
    const input = y.inputs[i]
    if (!input) throw graphError(`${y.op} has no input ${i}`)
    return input
  }
  const rule = ruleOf(y)
  return (
    rule?.gradient?.({
      g,
      y,
      dy,
      x,
      full: (adjoint, of) => full(g, adjoint, of),
      unbroadcast: (adjoint, to) => unbroadcast(g, adjoint, y, to),
    }) ?? []
  )
}

/** The sum of what the users of a node sent. Slices along one axis that do not overlap are put side by side instead. */
function gather(g: Emitter, node: Node, parts: readonly Part[]): Node {
  const terms: Node[] = []
  const rows: { axis: number; parts: { slice: Node; dy: Node }[] }[] = []
  for (const { user, adjoint } of parts) {
    if (user.op !== 'slice') {
      terms.push(adjoint)
      continue
    }
    const { axis } = user.attributes
    const row = rows.find(row => row.axis === axis && row.parts.every(part => !overlap(part.slice, user)))
    if (row) row.parts.push({ slice: user, dy: adjoint })
    else rows.push({ axis, parts: [{ slice: user, dy: adjoint }] })
  }
  for (const { axis, parts } of rows) terms.push(scatterSlices(g, node, axis, parts))
  return terms.reduce((total, term) => g.add(total, term))
}

function overlap(a: Node, b: Node): boolean {
  const [x, y] = [a.attributes, b.attributes]
  return x.start < y.start + y.size && y.start < x.start + x.size
}

/** Adjoints of slices of x that do not overlap, put side by side with zeros between. */
function scatterSlices(g: Emitter, x: Node, axis: number, parts: readonly { slice: Node; dy: Node }[]): Node {
  const pieces: Node[] = []
  const zeros = (start: number, end: number) => {
    if (end > start) pieces.push(g.expand(g.constant(0), g.slice(x, axis, start, end - start)))
  }
  let at = 0
  for (const { slice, dy } of [...parts].sort((a, b) => a.slice.attributes.start - b.slice.attributes.start)) {
    zeros(at, slice.attributes.start)
    pieces.push(dy)
    at = slice.attributes.start + slice.attributes.size
  }
  zeros(at, Number(dimAt(x.shape, axis)))
  return g.concat(pieces, axis)
}

function full(g: Emitter, adjoint: Node, of: Node): Node {
  return g.expand(adjoint, of)
}

/** Sums a thin adjoint of y over the axes along which x was repeated to make y. */
function unbroadcast(g: Emitter, adjoint: Node, y: Node, x: Node): Node {
  const rank = y.shape.length
  const to = padShape(x.shape, rank)
  const summed = to.flatMap((dim, axis) => (dim === 1 && y.shape[axis] !== 1 ? [axis] : []))
  let result = adjoint
  // Along a summed axis a thin adjoint stands for as many equal values as y has there.
  if (summed.some(axis => adjoint.shape[axis] === 1)) {
    const thin = summed.filter(axis => adjoint.shape[axis] === 1).map(axis => dimAt(y.shape, axis))
    if (thin.includes('B')) result = full(g, adjoint, y)
    else
      result = g.mul(
        adjoint,
        thin.reduce<number>((product, dim) => product * Number(dim), 1),
      )
  }
  result = g.sum(
    result,
    summed.filter(axis => result.shape[axis] !== 1),
    true,
  )
  return x.shape.length === rank ? result : g.reshape(result, result.shape.slice(rank - x.shape.length))
}

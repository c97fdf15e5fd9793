/** Shape arithmetic with one open dimension. */
import { MillraceError } from '../domain/errors.js'
import type { Dim, Shape } from './node.js'

/** A graph that does not fit together is a defect of the program that built it. */
export function graphError(message: string): MillraceError {
  return new MillraceError('INTERNAL', `step graph: ${message}`)
}

export function shapeText(shape: Shape): string {
  return `[${shape.join(', ')}]`
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((dim, axis) => dim === b[axis])
}

/** The dimension at an axis that is known to exist. */
export function dimAt(shape: Shape, axis: number): Dim {
  const dim = shape[axis]
  if (dim === undefined) throw graphError(`no axis ${axis} in ${shapeText(shape)}`)
  return dim
}

/** -1 is the last axis. */
export function normalAxis(axis: number, rank: number): number {
  const normal = axis < 0 ? axis + rank : axis
  if (!Number.isInteger(axis) || normal < 0 || normal >= rank) throw graphError(`axis ${axis} is not in rank ${rank}`)
  return normal
}

/** Product of the known dimensions and how often 'B' occurs. */
export function elements(shape: Shape): { known: number; open: number } {
  let known = 1
  let open = 0
  for (const dim of shape) {
    if (dim === 'B') open++
    else known *= dim
  }
  return { known, open }
}

export function isStatic(shape: Shape): boolean {
  return !shape.includes('B')
}

/** Ones in front, up to the rank. */
export function padShape(shape: Shape, rank: number): Shape {
  return [...new Array<Dim>(rank - shape.length).fill(1), ...shape]
}

/** As numpy broadcasts; 'B' meets only 'B' and 1. */
export function broadcast(op: string, a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length)
  const left = padShape(a, rank)
  const right = padShape(b, rank)
  return left.map((dim, axis) => {
    const other = dimAt(right, axis)
    if (dim === other || other === 1) return dim
    if (dim === 1) return other
    throw graphError(`${op}: ${shapeText(a)} and ${shapeText(b)} do not broadcast`)
  })
}

/**
 * Keeps a flood out of the log: of what may come by the million the first of each kind is said at once, then one every
 * `everyMs`, with how many were not said in between. Only the log is limited; what is counted and kept elsewhere is not.
 */
import type { Clock } from '../std/clock.js'

const EVERY_MS = 10_000

/** Kinds are few. Returns how many were left unsaid before this one, or undefined: this one is left unsaid too. */
export function createFloodGate(clock: Clock, everyMs = EVERY_MS): (kind: string) => number | undefined {
  const kinds = new Map<string, { saidMs: number; unsaid: number }>()
  return function next(kind) {
    const nowMs = clock.monotonicMs()
    const known = kinds.get(kind)
    if (known !== undefined && nowMs - known.saidMs < everyMs) {
      known.unsaid++
      return undefined
    }
    kinds.set(kind, { saidMs: nowMs, unsaid: 0 })
    return known?.unsaid ?? 0
  }
}

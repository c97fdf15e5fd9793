/** Work that stops now and then, as a generator, so that others get their turn. */

/** All of it at once. */
export function runThrough<T>(work: Generator<void, T>): T {
  for (;;) {
    const { done, value } = work.next()
    if (done === true) return value
  }
}

export interface SliceOptions {
  /** It goes on for so long between two pauses, */
  sliceMs: number
  /** or, where the others needed longer, for this share of their last turn: so that it ends some day also where they never rest. */
  share: number
  nowMs(): number
  /** The others' turn. */
  pause(): Promise<unknown>
}

/** All of it, little by little. */
export async function runInSlices<T>(work: Generator<void, T>, options: SliceOptions): Promise<T> {
  const { sliceMs, share, nowMs, pause } = options
  let untilMs = nowMs() + sliceMs
  for (;;) {
    const { done, value } = work.next()
    if (done === true) return value
    const stoppedMs = nowMs()
    if (stoppedMs < untilMs) continue
    await pause()
    const sinceMs = nowMs()
    untilMs = sinceMs + Math.max(sliceMs, share * (sinceMs - stoppedMs))
  }
}

/** Work that stops now and then, as a generator, so that others get their turn. */

/** All of it at once. */
export function runThrough<T>(work: Generator<void, T>): T {
  for (;;) {
    const { done, value } = work.next()
    if (done === true) return value
  }
}

/** All of it, with a pause whenever it has gone on for `sliceMs`. */
export async function runInSlices<T>(
  work: Generator<void, T>,
  { sliceMs, nowMs, pause }: { sliceMs: number; nowMs(): number; pause(): Promise<unknown> },
): Promise<T> {
  let sinceMs = nowMs()
  for (;;) {
    const { done, value } = work.next()
    if (done === true) return value
    if (nowMs() - sinceMs < sliceMs) continue
    await pause()
    sinceMs = nowMs()
  }
}

/** A token bucket a client: `perSecond` requests on average, bursts of one second's worth. Bounded in clients. */
import type { Clock } from '../../std/clock.js'

const MAX_CLIENTS = 10_000

/** Returns 0: go on; or after how many seconds there is room again. */
export function createRateLimit(perSecond: number, clock: Clock): (client: string) => number {
  const buckets = new Map<string, { tokens: number; atMs: number }>()
  const burst = Math.max(1, perSecond)
  return function take(client) {
    if (perSecond === 0) return 0
    const nowMs = clock.monotonicMs()
    const bucket = buckets.get(client) ?? { tokens: burst, atMs: nowMs }
    bucket.tokens = Math.min(burst, bucket.tokens + ((nowMs - bucket.atMs) / 1000) * perSecond)
    bucket.atMs = nowMs
    // Last used is last in the map, so the first one is the longest unused.
    buckets.delete(client)
    buckets.set(client, bucket)
    if (buckets.size > MAX_CLIENTS) buckets.delete(buckets.keys().next().value as string)
    if (bucket.tokens < 1) return Math.max(1, Math.ceil((1 - bucket.tokens) / perSecond))
    bucket.tokens--
    return 0
  }
}

/**
 * What was done and how long it took, for whoever subscribes: Node's diagnostics channels `millrace.step` and so on
 * (examples/opentelemetry.mjs makes spans of them). A message comes when the work is done. Where nobody subscribes it costs
 * one look; a subscriber can change nothing.
 */
import { channel } from 'node:diagnostics_channel'
import type { Clock } from '../std/clock.js'

/** Name of the channel, behind `millrace.` → what it is about. docs/operations.md lists them. */
export const TRACED = {
  step: 'one step of the model, from its command to its answer: `step`, `examples`, `loss`',
  commit: 'outputs and offsets made durable: how many `predictions` and `deadLetters`',
  checkpoint: 'one checkpoint: `bytes`; 0 if it was there already',
  apply: "one of a follower's two copies takes a version: `version`, `kind` (full or delta), `outcome`",
} as const

export interface TraceMessage {
  /** Milliseconds since 1970. */
  startMs: number
  endMs: number
  attributes: Record<string, string | number>
  /** Why it failed. */
  error?: Error
}

/** Begins now; the answer ends it. */
export function traced(
  name: keyof typeof TRACED,
  clock: Clock,
): (attributes: TraceMessage['attributes'], error?: Error) => void {
  const to = channel(`millrace.${name}`)
  if (!to.hasSubscribers) return () => {}
  const startMs = clock.nowMs()
  const beganMs = clock.monotonicMs()
  return function end(attributes, error) {
    const endMs = startMs + clock.monotonicMs() - beganMs
    to.publish({ startMs, endMs, attributes, ...(error && { error }) } satisfies TraceMessage)
  }
}

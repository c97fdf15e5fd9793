/**
 * POST /v1/events: what happened, put into the log. 202 says that it is durable there; a repetition gets the same answer,
 * and its events count once. Nothing is learned here: the learner reads the log as it always does.
 */
import { validatorCompiler } from 'fastify-type-provider-zod'
import { bodySchemaOf, eventsAnswer, eventsBody, type PostedEvent } from './event-schemas.js'
import type { HttpPlugin } from './plugin.js'
import { HttpProblem, sendProblem } from './problem.js'

/** What is wrong with one event. */
export interface EventFault {
  /** Its place among those posted. */
  index: number
  message: string
}

export type Taken =
  /** All of them are durable. */
  | { kind: 'taken' }
  /** None was taken. */
  | { kind: 'faulty'; faults: readonly EventFault[] }
  /** None counts as taken; some may be there, and count once if they come again. */
  | { kind: 'refused'; status: 403 | 409 | 503 | 507; reason: string; retryAfterSeconds?: number }

/** Where events go. */
export interface EventTaker {
  take(events: readonly PostedEvent[]): Promise<Taken>
}

/** How many faults an answer names. */
const MAX_FAULTS = 100

export function createEventRoutes(taker: EventTaker): HttpPlugin {
  return async app => {
    app.post(
      '/v1/events',
      {
        config: { scope: 'write' },
        schema: { summary: 'Put events into the log', body: eventsBody, response: { 202: eventsAnswer } },
        validatorCompiler: () => body => validatorCompiler({ schema: bodySchemaOf(body) } as never)(body),
      },
      async ({ body }, reply) => {
        const events = Array.isArray(body) ? body : [body]
        const taken = await taker.take(events)
        if (taken.kind === 'taken') return reply.code(202).send({ accepted: events.length })
        if (taken.kind === 'refused') {
          const { status, reason, retryAfterSeconds: seconds } = taken
          throw new HttpProblem(status, reason, seconds === undefined ? {} : { 'retry-after': String(seconds) })
        }
        const errors = taken.faults.slice(0, MAX_FAULTS).map(({ index, message }) => ({
          path: Array.isArray(body) ? `/${index}` : '/',
          message,
        }))
        return sendProblem(reply, 400, 'events are not what can be learned from', errors)
      },
    )
  }
}

/**
 * POST /v1/events: what happened, put into the log; DELETE /v1/users/:user: the wish that a user is forgotten, too.
 * 202 says that it is durable there; a repetition gets the same answer, and its events count once. Nothing is learned here: the learner reads the log as it always does.
 */
import { validatorCompiler } from 'fastify-type-provider-zod'
import { uniqueName } from '../../std/unique-name.js'
import {
  bodySchemaOf,
  eraseAnswer,
  eraseParams,
  eraseQuery,
  eventsAnswer,
  eventsBody,
  type PostedErase,
  type PostedEvent,
} from './event-schemas.js'
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

/** What becomes of events: durable in the log; not what can be learned from (400); turned away for another reason. */
export type PostResult = 'accepted' | 'faulty' | 'refused'

/** Where events go. */
export interface EventTaker {
  /** Absent: nobody counts them. */
  count?(result: PostResult, events: number): void
  take(events: readonly (PostedEvent | PostedErase)[]): Promise<Taken>
}

/** How many faults an answer names. */
const MAX_FAULTS = 100

export function createEventRoutes(taker: EventTaker): HttpPlugin {
  return async app => {
    // Before the answer is out: whoever has it finds it counted. A post that was not read counts as one event.
    app.addHook('onSend', async ({ body }, { statusCode }) => {
      taker.count?.(resultOf(statusCode), Array.isArray(body) ? body.length : 1)
    })
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
        if (taken.kind === 'refused') throw refusal(taken)
        const errors = taken.faults.slice(0, MAX_FAULTS).map(({ index, message }) => ({
          path: Array.isArray(body) ? `/${index}` : '/',
          message,
        }))
        return sendProblem(reply, 400, 'events are not what can be learned from', errors)
      },
    )
    app.delete(
      '/v1/users/:user',
      {
        config: { scope: 'admin' },
        schema: {
          summary: 'Erase a user',
          description:
            'Puts the wish into the log. What is kept of the user goes when the log is read to it, and with the next version from followers.',
          params: eraseParams,
          querystring: eraseQuery,
          response: { 202: eraseAnswer },
        },
      },
      async ({ params: { user }, query: { eventId = uniqueName() } }, reply) => {
        const taken = await taker.take([{ type: 'erase', eventId, user }])
        if (taken.kind === 'refused') throw refusal(taken)
        if (taken.kind === 'faulty')
          throw new HttpProblem(400, taken.faults[0]?.message ?? 'the user can not be erased')
        return reply.code(202).send({ eventId })
      },
    )
  }
}

function resultOf(status: number): PostResult {
  if (status === 202) return 'accepted'
  return status === 400 ? 'faulty' : 'refused'
}

function refusal({ status, reason, retryAfterSeconds: seconds }: Extract<Taken, { kind: 'refused' }>): HttpProblem {
  return new HttpProblem(status, reason, seconds === undefined ? {} : { 'retry-after': String(seconds) })
}

/**
 * What the model answers over HTTP: scores, orders, lists, explanations. An answer names the version that gave it. Asking is
 * reading, also where the question is too long for a URL. 503: there is no version to answer with yet.
 */
import { z } from 'zod'
import { MillraceError } from '../../domain/errors.js'
import type { Answered, Follower } from '../follower.js'
import {
  explainAnswer,
  explainBody,
  id,
  itemsAnswer,
  modelAnswer,
  pinBody,
  querySize,
  rankAnswer,
  rankBody,
  scoreAnswer,
  scoreBody,
  topAnswer,
  topBody,
  topQuery,
  userAnswer,
  usersAnswer,
  versionsAnswer,
} from './model-schemas.js'
import type { HttpPlugin } from './plugin.js'
import { HttpProblem } from './problem.js'

const READ = { scope: 'read' } as const
const ADMIN = { scope: 'admin' } as const
const FEW = 10
const sized = z.object({ size: querySize.optional() })

export function createModelRoutes(follower: Follower): HttpPlugin {
  return async app => {
    // The schemas say what is answered; to check each answer against them would cost as much as scoring a dozen items.
    app.setSerializerCompiler(() => JSON.stringify)
    app.post(
      '/v1/score',
      {
        config: READ,
        schema: { summary: 'Scores of candidates, in their order', body: scoreBody, response: { 200: scoreAnswer } },
      },
      ({ body }) => answering(async () => timed(await follower.score({ ...body, eventTimeMs: body.eventTime }))),
    )
    app.post(
      '/v1/rank',
      {
        config: READ,
        schema: { summary: 'Candidates, best first', body: rankBody, response: { 200: rankAnswer } },
      },
      ({ body }) => answering(async () => timed(await follower.rank({ ...body, eventTimeMs: body.eventTime }))),
    )
    app.post(
      '/v1/top',
      {
        config: READ,
        schema: { summary: 'The best of the catalogue for a user', body: topBody, response: { 200: topAnswer } },
      },
      ({ body }) => answering(async () => timed(await follower.top({ ...body, eventTimeMs: body.eventTime }))),
    )
    app.get(
      '/v1/users/:user/top',
      {
        config: READ,
        schema: {
          summary: 'The best of the catalogue for a user',
          params: z.object({ user: id }),
          querystring: topQuery,
          response: { 200: topAnswer },
        },
      },
      ({ params: { user }, query: { category, ...query } }) =>
        answering(async () =>
          timed(await follower.top({ user, ...query, ...(category === undefined ? {} : { where: { category } }) })),
        ),
    )
    app.get(
      '/v1/items/:item/similar',
      {
        config: READ,
        schema: {
          summary: 'Items that users had beside this one',
          params: z.object({ item: id }),
          querystring: sized,
          response: { 200: itemsAnswer },
        },
      },
      ({ params: { item }, query: { size = FEW } }) => answering(() => timed(follower.similar(item, size))),
    )
    app.get(
      '/v1/items',
      {
        config: READ,
        schema: {
          summary: 'The most popular items',
          querystring: sized,
          response: { 200: itemsAnswer },
        },
      },
      ({ query: { size = FEW } }) => answering(() => timed(follower.popular(size))),
    )
    app.post(
      '/v1/explain',
      {
        config: READ,
        schema: { summary: 'What one score is made of', body: explainBody, response: { 200: explainAnswer } },
      },
      ({ body }) => answering(async () => timed(await follower.explain({ ...body, eventTimeMs: body.eventTime }))),
    )
    app.get(
      '/v1/users',
      {
        config: READ,
        schema: {
          summary: 'Some users who had something lately',
          querystring: sized,
          response: { 200: usersAnswer },
        },
      },
      ({ query: { size = FEW } }) => answering(() => timed(follower.users(size))),
    )
    app.get(
      '/v1/users/:user',
      {
        config: READ,
        schema: { summary: 'What is known of a user', params: z.object({ user: id }), response: { 200: userAnswer } },
      },
      ({ params: { user } }) =>
        answering(() => {
          const { known, recent, ...answer } = follower.user(user)
          if (!known) throw new HttpProblem(404, 'nothing is known of this user')
          return timed({
            ...answer,
            recent: recent.map(({ eventTimeMs, ...had }) => ({ ...had, eventTime: eventTimeMs })),
          })
        }),
    )
    app.get(
      '/v1/model',
      { config: READ, schema: { summary: 'Which version answers', response: { 200: modelAnswer } } },
      () => answering(() => modelOf(follower)),
    )
    app.put(
      '/v1/model/pin',
      {
        config: ADMIN,
        schema: {
          summary: 'Go back to a version, or on, and stay there',
          description: 'Until it is unpinned or the process ends. 404: it can not be reconstructed any more.',
          body: pinBody,
          response: { 200: modelAnswer },
        },
      },
      ({ body: { version } }) =>
        pinning(async () => {
          await follower.pin(version)
          return modelOf(follower)
        }),
    )
    app.delete(
      '/v1/model/pin',
      { config: ADMIN, schema: { summary: 'On to the newest version', response: { 200: modelAnswer } } },
      () =>
        pinning(async () => {
          await follower.unpin()
          return modelOf(follower)
        }),
    )
    app.get(
      '/v1/versions',
      { config: READ, schema: { summary: 'Versions that came, newest last', response: { 200: versionsAnswer } } },
      async () => ({
        versions: follower.versions().map(({ eventTimeMs, ...version }) => ({ ...version, eventTime: eventTimeMs })),
      }),
    )
  }
}

function modelOf(follower: Follower) {
  const { version, full, deltas, eventTimeMs, ageMs, checksum, ...rest } = follower.model()
  if (version === undefined) throw none(rest.reason)
  return {
    ...rest,
    version,
    full: full ?? version,
    deltas: deltas ?? 0,
    eventTime: eventTimeMs ?? 0,
    ageSeconds: (ageMs ?? 0) / 1000,
    checksum: checksum ?? '',
  }
}

/** Outside times have no unit in their names: all are milliseconds. */
function timed<T extends Answered>({ eventTimeMs, ...answer }: T): Omit<T, 'eventTimeMs'> & { eventTime: number } {
  return { ...answer, eventTime: eventTimeMs }
}

const none = (reason: string) =>
  new HttpProblem(503, `there is no version to answer with yet${reason === '' ? '' : `: ${reason}`}`, {
    'retry-after': '2',
  })

async function pinning<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof MillraceError && error.code === 'SNAPSHOT_NOT_FOUND') throw new HttpProblem(404, error.message)
    throw error
  }
}

async function answering<T>(answer: () => T | Promise<T>): Promise<T> {
  try {
    return await answer()
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error
    if (error.code === 'REQUEST_INVALID') throw new HttpProblem(400, error.message)
    if (error.code === 'SNAPSHOT_NOT_FOUND') throw none('')
    throw error
  }
}

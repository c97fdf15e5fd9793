/**
 * GET /v1/challengers: who learns beside what answers, and how they stand. POST /v1/challengers/:name/promote: one of them
 * answers from here on. 200 says that this has its place in the log and cannot be lost; 409 that it can not be promoted.
 */
import { type Challengers, challengersAnswer, promoteParams as params, promoteAnswer } from './challenger-schemas.js'
import type { HttpPlugin } from './plugin.js'
import { HttpProblem } from './problem.js'

/** Who learns here. */
export interface ChallengerBoard {
  /** A text says why there is nobody to tell of. */
  list(): Challengers | string
  /** undefined: it answers from here on; a text says why it does not. */
  promote(name: string): Promise<string | undefined>
}

export function createChallengerRoutes(board: ChallengerBoard): HttpPlugin {
  const listed = () => {
    const found = board.list()
    if (typeof found === 'string') throw new HttpProblem(404, found)
    return found
  }
  return async app => {
    app.get(
      '/v1/challengers',
      {
        config: { scope: 'read' },
        schema: { summary: 'Who learns beside what answers, and how well', response: { 200: challengersAnswer } },
      },
      async () => listed(),
    )
    app.post(
      '/v1/challengers/:name/promote',
      {
        config: { scope: 'admin' },
        schema: {
          summary: 'Let a challenger answer',
          description:
            'From here on in the log its predictions, lists and versions are published, and what answered so far is a challenger. Answered when that can not be lost any more.',
          params,
          response: { 200: promoteAnswer },
        },
      },
      async ({ params: { name } }) => {
        if (listed().challengers.every(one => one.name !== name))
          throw new HttpProblem(404, `there is no challenger '${name}'`)
        const refusal = await board.promote(name)
        if (refusal !== undefined) throw new HttpProblem(409, refusal)
        const { answering } = listed()
        return { answering: answering.name, configHash: answering.configHash }
      },
    )
  }
}

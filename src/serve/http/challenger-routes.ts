/**
 * GET /v1/challengers: who learns beside what answers, and how they stand. POST /v1/challengers/:name/promote: one of them
 * answers from here on. 200 says that this has its place in the log and cannot be lost; 409 that it can not be promoted.
 */
import { z } from 'zod'
import type { HttpPlugin } from './plugin.js'
import { HttpProblem } from './problem.js'

const verdict = z.enum(['better', 'worse', 'open']).meta({
  description: 'Against what answers, beyond noise; open: neither.',
})
const difference = z.number().nullable()
const standing = z.object({
  name: z.string(),
  configHash: z.string(),
  changes: z
    .record(z.string(), z.unknown())
    .meta({ description: 'Keys that differ from the configuration, and their values.' }),
  failure: z.string().nullable().meta({ description: 'Why it learns no more; null: it learns.' }),
  labels: z.number().meta({ description: 'Judged on both sides since both are there, or since the last promotion.' }),
  passed: z.number().meta({ description: 'Of them the first ones, which are not compared.' }),
  difference: difference.meta({
    description:
      'Mean loss minus that of what answers, as a share of the loss of a constant; below 0 it is better. null: nothing is compared yet.',
  }),
  verdict,
  tasks: z.array(z.object({ task: z.string(), labels: z.number(), difference, verdict })),
})
const challengersAnswer = z.object({
  answering: z.object({
    name: z.string(),
    configHash: z.string(),
    changes: z.record(z.string(), z.unknown()),
  }),
  challengers: z.array(standing),
})
const promoteAnswer = z.object({ answering: z.string(), configHash: z.string() })
const params = z.object({ name: z.string().max(256) })

export type Challengers = z.output<typeof challengersAnswer>

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

/** What the model's routes take and give. */
import { z } from 'zod'

/** As in the events: longer ids are dead letters by default. */
const MAX_ID = 512
const MAX_CANDIDATES = 10_000
const MAX_SIZE = 1000
const LATEST_MS = 8.64e15

export const id = z.string().min(1).max(MAX_ID)
const number = z.number()
const byTask = z.record(z.string().max(64), number)
const weights = byTask.meta({
  description: 'Task → weight in the rank, instead of the configured ones; others weigh 0.',
})
const context = z
  .record(z.string().max(128), z.string().max(1024))
  .meta({ description: 'Circumstances by name, as impressions have them: device, page and so on.' })
const eventTime = z
  .int()
  .min(0)
  .max(LATEST_MS)
  .meta({ description: 'What the features are as of. Default: the version.' })
const size = z.int().min(1).max(MAX_SIZE)
export const querySize = z.coerce.number().int().min(1).max(MAX_SIZE)
const seen = z
  .enum(['exclude', 'include'])
  .meta({ description: 'Items that the user has had. Default: as configured.' })

const explore = z
  .object({
    page: id.meta({ description: 'Names the page, and decides what is drawn: the same page has the same order.' }),
    share: number.min(0).max(1).meta({ description: 'Of the pages, that are put into a random order.' }),
    places: z.int().min(1).max(MAX_SIZE).optional().meta({
      description: 'So many items, the best ones, are on the page and change places. Default: all.',
    }),
  })
  .meta({ description: 'Puts a share of the pages into a random order, to learn what another one would get.' })

const asked = { user: id, context: context.optional(), eventTime: eventTime.optional() }

export const scoreBody = z.object({ ...asked, items: z.array(id).max(MAX_CANDIDATES), weights: weights.optional() })
export const rankBody = scoreBody.extend({ explore: explore.optional() })
export const topBody = z.object({
  ...asked,
  size: size.optional(),
  weights: weights.optional(),
  seen: seen.optional(),
  explore: explore.optional(),
  exclude: z.array(id).max(MAX_CANDIDATES).optional(),
  where: z
    .record(z.string().max(128), z.string().max(1024))
    .optional()
    .meta({ description: 'Attribute → a value that items must have.' }),
  between: z
    .record(z.string().max(128), z.object({ min: number.optional(), max: number.optional() }))
    .optional()
    .meta({ description: 'Number of the profile → its least and greatest value, both included.' }),
  diversity: z
    .object({ by: z.string().max(128), most: z.int().min(1).max(MAX_SIZE) })
    .optional()
    .meta({ description: 'At most so many items of each value of an attribute.' }),
})
export const topQuery = z.object({ size: querySize.optional(), seen: seen.optional(), category: z.string().optional() })
export const explainBody = z.object({ ...asked, item: id })

const answered = {
  version: z.int().meta({ description: 'Steps learned.' }),
  eventTime: z.int().meta({ description: 'Stream time of the version.' }),
}
const byClass = z.record(z.string(), number)
const classes = z.record(z.string().max(64), byClass).meta({
  description:
    'Categorical task → class → its probability. Those in `label.of` sum to the value of the task, all to 1. Absent: no task is categorical.',
})
const ownClasses = byClass.meta({ description: 'Of a categorical task: the probability of each class.' })
const itemScore = { item: z.string(), values: byTask, classes: classes.optional(), rank: number }

export const scoreAnswer = z.object({ ...answered, scores: z.array(z.object(itemScore)) })
const explored = z
  .object({ places: z.int(), propensity: number })
  .meta({ description: 'The order of the first so many items was drawn, each with this probability of its place.' })
export const rankAnswer = scoreAnswer.extend({ explored: explored.optional() })
export const topAnswer = z.object({
  ...answered,
  items: z.array(z.object({ ...itemScore, score: number })),
  explored: explored.optional(),
})
export const itemsAnswer = z.object({ ...answered, items: z.array(z.object({ item: z.string(), score: number })) })
export const usersAnswer = z.object({ ...answered, users: z.array(z.string()) })
export const explainAnswer = z.object({
  ...answered,
  tasks: z.record(
    z.string(),
    z.object({
      value: number,
      classes: ownClasses.optional(),
      parts: z
        .array(z.object({ name: z.string(), value: number }))
        .meta({ description: 'What each part of the model adds, in latent units.' }),
      slots: z
        .array(z.object({ name: z.string(), contribution: number }))
        .meta({ description: 'The value minus what it is without this slot or numeric feature.' }),
      gates: z.array(number).optional().meta({ description: 'How much the task takes of each expert.' }),
    }),
  ),
})
export const userAnswer = z.object({
  ...answered,
  user: z.string(),
  events: number,
  numbers: z.record(z.string(), number),
  recent: z
    .array(z.object({ item: z.string(), weight: number, eventTime: number }))
    .meta({ description: 'What the user has had, newest first; weight: decayed number of times.' }),
})
export const modelAnswer = z.object({
  ...answered,
  full: z.int(),
  deltas: z.int(),
  ageSeconds: number,
  state: z.string(),
  reason: z.string(),
  checksum: z.string(),
  pinned: z.int().optional().meta({ description: 'The version that stays until it is unpinned.' }),
  newest: z.int().optional().meta({ description: 'The newest version that came.' }),
  tasks: z.array(z.object({ name: z.string(), head: z.string(), rank: number })),
  users: z.int().optional(),
  items: z.int().optional(),
})
export const pinBody = z.object({ version: z.int().min(0) })
export const versionsAnswer = z.object({
  versions: z.array(
    z.object({
      version: z.int(),
      kind: z.string(),
      parent: z.int().nullable(),
      eventTime: z.int(),
      checksum: z.string(),
      metrics: z.record(z.string(), number),
      outcome: z
        .string()
        .meta({ description: '`taken`, `left` because another one is pinned, or why it can not be had.' }),
    }),
  ),
})

/** Events as they are posted: the fields of schemas/*.avsc, with the kind as `type`. Ids are text, so that none is rounded. */
import { z } from 'zod'

const MAX_EVENTS = 1000
const MAX_CANDIDATES = 10_000
const MAX_EMBEDDING = 4096
const MAX_INT = 2 ** 31 - 1

const id = z.string().min(1)
const text = z.string()
const context = z
  .record(z.string(), z.string())
  .nullish()
  .meta({ description: 'Circumstances by name: device, page, campaign and so on.' })
const stamp = {
  eventId: id.meta({ description: 'Names the event for ever: one that is posted again with the same id counts once.' }),
  eventTime: z
    .int()
    .min(0)
    .optional()
    .meta({ description: 'When it happened, in milliseconds since 1970. Absent: now.' }),
}
const pair = { ...stamp, user: id, item: id, requestId: id.nullish(), context }
const embedding = z.array(z.number()).max(MAX_EMBEDDING)
const profile = {
  ...stamp,
  id,
  attributes: z.record(z.string(), z.array(z.string())).optional(),
  numbers: z.record(z.string(), z.number()).optional(),
  embedding: embedding.nullish(),
  embeddings: z
    .record(z.string(), embedding)
    .optional()
    .meta({ description: 'Further embeddings by name, such as one of a picture.' }),
}

const postedEvent = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('impression'),
    ...pair,
    position: z.int().min(1).max(MAX_INT).nullish().meta({ description: 'Place on the page, 1 = first.' }),
  }),
  z.strictObject({ type: z.literal('click'), ...pair }),
  z.strictObject({
    type: z.literal('buy'),
    ...pair,
    value: z.number().optional().meta({ description: 'Quantity or amount. Absent: 1.' }),
  }),
  z.strictObject({ type: z.literal('rating'), ...pair, value: z.number() }),
  z.strictObject({
    type: z.literal('item'),
    ...profile,
    title: text.nullish(),
    text: text.nullish(),
    category: text.nullish(),
    brand: text.nullish(),
    price: z.number().nullish(),
  }),
  z.strictObject({ type: z.literal('user'), ...profile }),
  z.strictObject({
    type: z.literal('score-request'),
    ...stamp,
    requestId: id,
    user: id,
    candidates: z.array(id).max(MAX_CANDIDATES),
    context,
  }),
])

/** Comes by a route of its own, because it needs another scope. */
export interface PostedErase {
  type: 'erase'
  eventId: string
  eventTime?: number
  user: string
}

export const eraseParams = z.object({ user: id })
export const eraseQuery = z.object({
  eventId: id
    .optional()
    .meta({ description: 'Names the event: asked again with the same one, it counts once. Absent: a new one.' }),
})
export const eraseAnswer = z.object({
  eventId: z.string().meta({
    description:
      'The event is durable in the log. The user is forgotten when it is read; the journal has its entry then.',
  }),
})

const postedEvents = z.array(postedEvent).min(1).max(MAX_EVENTS)

export type PostedEvent = z.infer<typeof postedEvent>

export const eventsBody = z.union([postedEvent, postedEvents])

/** Faults of a union would not say where they are: it is known from the outside which of the two is meant. */
export const bodySchemaOf = (body: unknown) => (Array.isArray(body) ? postedEvents : postedEvent)

export const eventsAnswer = z.object({
  accepted: z.int().meta({ description: 'So many events are durable in the log. They are learned as it is read.' }),
})

/**
 * What the dashboard shows, as data: GET /v1/status has all of it, /v1/stream what is new. The page takes its types from
 * here. Times are milliseconds since 1970.
 */
import { z } from 'zod'

const counts = z.record(z.string(), z.number())

const about = z.object({
  name: z.string(),
  program: z.string().meta({ description: 'Version of the program.' }),
  backend: z.string().nullable().meta({ description: 'What computes; null: not known yet.' }),
  configHash: z.string(),
  learns: z.boolean().meta({ description: 'Whether it learns, or only answers.' }),
  scores: z.boolean().meta({ description: 'Whether it answers requests for scores: the playground.' }),
  challengers: z.boolean().meta({ description: 'Others learn beside it: /v1/challengers.' }),
  live: z.boolean().meta({ description: 'The log has no end: events are of now.' }),
  weighting: z.string().meta({ description: 'How tasks are weighed against each other.' }),
  startedAt: z.number(),
  tasks: z.array(z.object({ name: z.string(), head: z.string(), rank: z.number(), prior: z.number() })),
})

const now = z.object({
  at: z.number(),
  state: z.string(),
  text: z.string().meta({ description: 'The state in words.' }),
  records: z.number(),
  share: z.number().nullable().meta({ description: 'Of a log that ends: how much of it was read, 0 to 1.' }),
  eventTime: z.number().nullable().meta({ description: 'Where the stream is.' }),
  eventsPerSecond: z.number(),
  lag: z.number().nullable().meta({ description: 'Records of topics that were not taken yet.' }),
  freshnessSeconds: z
    .number()
    .nullable()
    .meta({ description: 'Mean age of the events whose predictions were published last.' }),
  step: z.number(),
  loss: z.number().nullable(),
  events: counts,
  rejects: counts,
  drops: counts,
  labels: z.object({
    waiting: z.number().meta({ description: 'Impressions that wait for their labels.' }),
    matured: z.number(),
    attributed: counts,
    organic: z.number(),
    late: z.number(),
    maturity: z.record(z.string(), z.record(z.string(), z.number())).meta({
      description:
        'By task and age of the impression: the share of the labels within the window that has come by then.',
    }),
  }),
})

const taskWindow = z.object({
  task: z.string(),
  count: z.number(),
  positives: z.number(),
  values: z.record(z.string(), z.number()),
  baseline: z.record(z.string(), z.number()).meta({
    description: 'The same figures of a constant: always the mean label of this window.',
  }),
})

const windowPoint = z.object({
  records: z.number(),
  eventTime: z.number(),
  step: z.number(),
  loss: z.number(),
  weights: z.array(z.number()).meta({ description: 'In the order of the tasks.' }),
  tasks: z.array(taskWindow),
  tables: z
    .object({
      rows: z.number(),
      admitted: z.number(),
      evicted: z.number(),
      expired: z.number(),
      bytes: z.number(),
    })
    .nullable()
    .meta({ description: 'null: learned by an earlier process.' }),
  gates: z.array(z.array(z.number())).nullable().meta({
    description:
      'By task, how much it took of each expert, of the last batch. null: no experts, or an earlier process.',
  }),
})

const pacePoint = z.object({
  at: z.number(),
  eventsPerSecond: z.number(),
  lag: z.number().nullable(),
  freshnessSeconds: z.number().nullable(),
})

const curve = z.object({
  task: z.string(),
  points: z.array(z.object({ predicted: z.number(), observed: z.number(), count: z.number() })),
})

const alarm = z.object({
  records: z.number(),
  eventTime: z.number(),
  task: z.string(),
  detector: z.string(),
  lossBefore: z.number(),
  lossNow: z.number(),
})

const snapshot = z.object({
  version: z.number(),
  kind: z.string(),
  eventTime: z.number(),
  records: z.number(),
  bytes: z.number(),
  rows: z.number(),
  metrics: counts,
  verdict: z
    .enum(['published', 'held'])
    .meta({ description: 'held: the publish gate held it back, and those after it.' }),
  reason: z.string().meta({ description: 'held: what got worse.' }),
})

export const statusSchema = z
  .object({
    id: z.number().meta({ description: 'Of the last change; Last-Event-ID of the stream goes on from there.' }),
    about,
    now,
    pace: z.array(pacePoint),
    windows: z.array(windowPoint).meta({ description: 'Progressive validation, window by window.' }),
    calibration: z.array(curve),
    alarms: z.array(alarm),
    snapshots: z.array(snapshot).meta({ description: 'Published or held back, the newest ones.' }),
  })
  .meta({ description: 'What a running instance does, and how well it learns.' })

export type Status = z.infer<typeof statusSchema>
export type About = Status['about']
export type Now = Status['now']
export type WindowPoint = Status['windows'][number]
export type TaskWindow = WindowPoint['tasks'][number]
export type PacePoint = Status['pace'][number]
export type Curve = Status['calibration'][number]
export type Alarm = Status['alarms'][number]
export type Snapshot = Status['snapshots'][number]

/** What the stream sends, by the name of its event. `status`: all of it, first and after a gap. */
export interface Changes {
  status: Status
  about: About
  now: Now
  pace: PacePoint
  window: WindowPoint
  calibration: Curve[]
  alarm: Alarm
  snapshot: Snapshot
}

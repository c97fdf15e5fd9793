/** What is said of challengers over HTTP. The dashboard takes its types from here. */
import { z } from 'zod'

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
export const challengersAnswer = z.object({
  answering: z.object({
    name: z.string(),
    configHash: z.string(),
    changes: z.record(z.string(), z.unknown()),
  }),
  challengers: z.array(standing),
})
export const promoteAnswer = z.object({ answering: z.string(), configHash: z.string() })
export const promoteParams = z.object({ name: z.string().max(256) })

export type Challengers = z.output<typeof challengersAnswer>

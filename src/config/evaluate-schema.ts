/** The section `evaluate` of the configuration. */
import { z } from 'zod'
import { about, duration, name } from './schema-kit.js'

export const evaluate = z.strictObject({
  after: about(duration('0s'), 'Totals leave out what was scored in this first part of the log.'),
  tasks: about(z.array(name).optional(), 'Only these tasks in the report. Absent: all.'),
  interval: about(
    z.enum(['none', 'user', 'day']).default('none'),
    '`evaluate`: an interval beside each figure, and beside each difference to the first configuration, by resampling users or days (UTC). none: no intervals.',
  ),
  baselines: about(
    z.boolean().default(false),
    '`evaluate`: simple learners beside the model, on the same examples: FTRL for binary tasks, biases for numeric ones; with `recommend`, its baselines too.',
  ),
  policy: about(
    z
      .strictObject({
        reward: about(name, 'Binary task whose label is what an order is for.'),
        propensity: about(
          z.string().default('propensity'),
          "Key of an impression's context: the probability, between 0 and 1, that its item stood in its place, given what the page (`requestId`) showed.",
        ),
      })
      .optional(),
    '`evaluate`: what the log would have got with every page in the order of the rank score (IPS, SNIPS, DR), where its places were drawn at random with known probabilities. Absent: not asked.',
  ),
  compare: about(
    z
      .array(
        z.strictObject({
          name: about(z.string(), 'Name of the variant in the leaderboard.'),
          set: about(z.record(z.string(), z.unknown()), 'Keys to change and their values.'),
        }),
      )
      .default([]),
    "Variants beside the configuration: a name and keys to change, such as 'weights.method: manual'.",
  ),
  report: about(z.string().default('.data/report.html'), 'The HTML report. Relative to the configuration file.'),
})

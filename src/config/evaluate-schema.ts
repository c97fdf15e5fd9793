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

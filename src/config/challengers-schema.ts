/** The sections `challengers` and `promotion` of the configuration. */
import { z } from 'zod'
import { about, name } from './schema-kit.js'

export const challengers = about(
  z
    .array(
      z.strictObject({
        name: about(name, 'Name of the challenger in metrics, reports and the leaderboard.'),
        set: about(
          z.record(z.string(), z.unknown()),
          "Keys to change and their values, such as 'model.architecture: mmoe': of model, optimizer, weights and table, drift.boost, drift.boostSteps and drift.forget, and tasks.NAME.prior.",
        ),
      }),
    )
    .max(8)
    .default([]),
  'Other configurations that learn beside this one from the same joined stream, each in a thread of its own. They change nothing of what this one learns and answers; the slowest sets the pace.',
)

export const promotion = z.strictObject({
  rule: about(
    z.enum(['none', 'better']).default('none'),
    'none: only somebody promotes a challenger. better: the one that is better beyond noise over all tasks together, and worse beyond noise in none, takes over.',
  ),
  falseAlarms: about(
    z.number().positive().max(1).default(0.001),
    'How probable it may be that any challenger is called better or worse within a million labels although it is neither.',
  ),
  minLabels: about(
    z.int().min(0).default(10_000),
    'Challengers are compared only after so many judged labels since they began, or since the last promotion: what has just begun is behind.',
    { unit: 'labels' },
  ),
})

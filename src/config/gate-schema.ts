/** The section `outputs.gate` of the configuration. */
import { z } from 'zod'
import { about, duration } from './schema-kit.js'

const section = z.strictObject({
  falseAlarms: about(
    z.number().positive().max(1).default(0.001),
    'How probable it may be that versions are held back within a million labels of a task although nothing got worse. Smaller is safer, and a little slower.',
  ),
  tolerance: about(
    z.number().min(0).max(10).default(0.1),
    'By what share the loss of a task may be above its best of late, as a multiple of the loss of a constant (the running mean of the labels).',
  ),
  calibration: about(
    z.number().min(0).max(10).default(0.25),
    'Binary tasks: by what share promises may be further above or below what happens than they were.',
  ),
  patience: about(
    duration('1d'),
    'After so much event time held back, what is there now counts as the new level, and versions are published again.',
  ),
})

export const gate = about(
  section.optional(),
  'Versions are held back while the progressive losses or the calibration of a task are worse than they were, beyond noise. Absent: off.',
)

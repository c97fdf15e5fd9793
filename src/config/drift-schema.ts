/** The section `drift` of the configuration. */
import { z } from 'zod'
import { about } from './schema-kit.js'

export const drift = z.strictObject({
  detectors: about(
    z
      .array(z.enum(['adwin', 'page-hinkley']))
      .min(1)
      .default(['adwin', 'page-hinkley']),
    'adwin: Bifet & Gavaldà 2007, a window that is cut where its parts differ. page-hinkley: Page 1954, the sum of deviations from the mean.',
  ),
  delta: about(
    z.number().positive().max(1).default(0.002),
    'adwin: probability of a false cut; smaller is more patient.',
  ),
  threshold: about(
    z.number().positive().default(50),
    'page-hinkley: sum of excess losses (each within 0..1) that is an alarm.',
  ),
  boost: about(
    z.number().min(1).max(100).default(1),
    'Step sizes of dense weights and rows are multiplied by this after an alarm; 1 = not. Falls back to 1 over `boostSteps`.',
  ),
  boostSteps: about(z.int().min(1).default(200), 'How long a boost lasts.', { unit: 'steps' }),
})

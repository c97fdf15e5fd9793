/** The section `drift` of the configuration. */
import { z } from 'zod'
import { about } from './schema-kit.js'

export const drift = z.strictObject({
  detectors: about(
    z.array(z.enum(['adwin', 'page-hinkley', 'e-detector'])).default(['e-detector']),
    'None: off. adwin: Bifet & Gavaldà 2007, a window that is cut where its parts differ. page-hinkley: Page 1954, the sum of deviations from the mean. e-detector: Shin, Ramdas & Rinaldo 2024, bets that losses are where they were; it sees large rises only, and is nearly never wrong. Users who say very much, or always the same, count little or not for it: robots are no drift.',
  ),
  delta: about(
    z.number().positive().max(1).default(0.002),
    'adwin: probability of a false cut; smaller is more patient.',
  ),
  threshold: about(
    z.number().positive().default(50),
    'page-hinkley: sum of excess losses (each within 0..1) that is an alarm.',
  ),
  forget: about(
    z.number().min(0).max(1).default(0.5),
    'After an alarm of the e-detector for a task, so much of what its fast part knows of ids is forgotten: when an id is learned again, what is known of it shrinks by this share and is as uncertain as of a new one. 0 = nothing.',
  ),
  boost: about(
    z.number().min(1).max(100).default(1),
    'Step sizes of dense weights and rows are multiplied by this after an alarm; 1 = not. Falls back to 1 over `boostSteps`.',
  ),
  boostSteps: about(z.int().min(1).default(200), 'How long a boost lasts.', { unit: 'steps' }),
})

/** tasks[].label: how a task's label comes about. */
import { z } from 'zod'
import { about, optionalDuration } from './schema-kit.js'

export const positiveKind = z.enum(['click', 'buy', 'rating'])

export const label = z.strictObject({
  event: about(positiveKind, 'The event that makes the label.'),
  window: about(
    optionalDuration(),
    'How long after an impression the event counts. Absent: no impression needed, the event itself is the example and is scored and learned in one step.',
  ),
  attribution: about(
    z.enum(['last', 'given', 'all']).default('last'),
    'Which waiting impressions of the same user and item a positive labels. last: the last one. given: the last one where what the task is `given` happened, so that a buy is credited to the last click. all: all within the window.',
  ),
  late: about(
    z.enum(['take-back', 'duplicate', 'fake-negative-weighted', 'wait']).default('take-back'),
    'Binary tasks on clicks and buys that know when to learn early (`early`). take-back: what is known by then is learned, 0 if nothing came; a positive that comes after all is learned at once, and the 0 is taken back. duplicate: the same without taking back, which predicts too little. fake-negative-weighted: duplicate, with all labels weighted by what the model says, as if each positive had been learned as 0 first (Ktena et al. 2019), which predicts too much where most positives are known early. wait: nothing is learned before the window is over. Only final labels are judged.',
  ),
  early: about(
    optionalDuration(),
    'How long after an impression the task is learned for the first time. Absent: with the task that it is `given`, when that one is final; without one, when the window is over.',
  ),
  keepNegatives: about(
    z.number().gt(0).max(1).optional(),
    'Binary tasks on clicks and buys with a window: the share of the impressions without a positive that is learned, by hash of user, item and time. Learning is faster and predictions stay calibrated, since the log-odds are corrected (He et al. 2014). All are judged. Absent: all are learned.',
  ),
  atLeast: about(z.number().optional(), 'Binary tasks on a rating: 1 if the value is at least this.'),
})

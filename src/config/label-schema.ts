/** tasks[].label: how a task's label comes about. */
import { z } from 'zod'
import { about, optionalDuration } from './schema-kit.js'

const texts = z.union([z.string().transform(one => [one]), z.array(z.string()).min(1)])
const TEXT_FROM = /^context\.[A-Za-z0-9_.-]+$|^(user|item)\.[A-Za-z0-9_]+$/
const FROM = new RegExp(`^value$|${TEXT_FROM.source}`)

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
  from: about(
    z.string().regex(FROM, 'expected value, context.NAME, item.ATTRIBUTE or user.ATTRIBUTE').optional(),
    "Where the label's value comes from. value (absent): the event's, of a rating or a buy. context.NAME: a field of the event's context. item.ATTRIBUTE, user.ATTRIBUTE: of the profile as of the event, a number such as item.price or, for `equals` and `sameAs`, its first 16 texts. Where it is missing or no number, the task is masked for the example, and `millrace_labels_missing_total` counts.",
  ),
  atLeast: about(z.number().optional(), 'Binary tasks: 1 if the value is at least this.'),
  equals: about(
    texts.optional(),
    'Binary tasks: 1 if the value is this text or one of these; of several values, if any is. A task with a window on clicks or buys is about whether such an event came: one that is not what is asked leaves the impression as it was.',
  ),
  sameAs: about(
    z.string().regex(TEXT_FROM, 'expected context.NAME, item.ATTRIBUTE or user.ATTRIBUTE').optional(),
    "Binary tasks: 1 if a value of `from` is one of this source's, such as user.favourite_brand for item.brand.",
  ),
  classes: about(
    z.array(z.string()).min(2).max(64).optional(),
    'Categorical tasks: the texts that `from` may hold. Another text is no label, as one that is missing; of several values the first that is a class.',
  ),
  of: about(texts.optional(), 'Categorical tasks: the class, or classes, whose probability is the prediction.'),
  transform: about(
    z.literal('log1p').optional(),
    'Regression: learned as log(1 + value), for values that scatter by factors, such as prices. Predictions and figures are in natural units: e to the predicted logarithm, less 1, which is nearer to the median than to the mean.',
  ),
})

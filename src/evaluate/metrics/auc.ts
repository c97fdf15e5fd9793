/**
 * Area under the ROC curve: the share of (positive, negative) pairs in which the positive has the higher score, a tie
 * counting half. Pairs within one bin count as ties, which is linear interpolation of the curve across the bin. The
 * error is at most half the share of pairs that fall into one bin (bins of 0.001 logits: below 1e-4 for real scores).
 * Undefined unless both classes are there. Fawcett 2006, An introduction to ROC analysis.
 */
import type { ScoreHistogram } from './score-histogram.js'

export function areaUnderCurve(histogram: ScoreHistogram): number | undefined {
  let negatives = 0
  let positives = 0
  let won = 0
  for (let bin = 0; bin < histogram.bins; bin++) {
    const here = histogram.negatives(bin)
    const positivesHere = histogram.positives(bin)
    won += positivesHere * (negatives + here / 2)
    negatives += here
    positives += positivesHere
  }
  return negatives > 0 && positives > 0 ? won / (negatives * positives) : undefined
}

/**
 * Accuracy, precision, recall and F1 where a score of 0.5 or more says "positive": what these words mean in scikit-learn
 * and River. On rare labels few scores reach 0.5; then precision is undefined and recall 0, and AUC and normalised
 * entropy are the figures to look at. Exact, because 0.5 is an edge of the histogram's bins.
 */
import type { ScoreHistogram } from './score-histogram.js'

export interface ThresholdMetrics {
  accuracy: number | undefined
  precision: number | undefined
  recall: number | undefined
  f1: number | undefined
}

export function thresholdMetrics(histogram: ScoreHistogram): ThresholdMetrics {
  let trueNegatives = 0
  let falseNegatives = 0
  let falsePositives = 0
  let truePositives = 0
  for (let bin = 0; bin < histogram.half; bin++) {
    trueNegatives += histogram.negatives(bin)
    falseNegatives += histogram.positives(bin)
  }
  for (let bin = histogram.half; bin < histogram.bins; bin++) {
    falsePositives += histogram.negatives(bin)
    truePositives += histogram.positives(bin)
  }
  const errors = falseNegatives + falsePositives
  return {
    accuracy: ratio(trueNegatives + truePositives, trueNegatives + truePositives + errors),
    precision: ratio(truePositives, truePositives + falsePositives),
    recall: ratio(truePositives, truePositives + falseNegatives),
    f1: ratio(2 * truePositives, 2 * truePositives + errors),
  }
}

function ratio(part: number, whole: number): number | undefined {
  return whole > 0 ? part / whole : undefined
}

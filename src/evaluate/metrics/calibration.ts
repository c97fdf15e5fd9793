/**
 * Reliability curve: scores cut into about `points` groups of equal count, and for each group the mean predicted
 * probability beside the observed rate. A calibrated model lies on the diagonal. Groups end at the histogram's bins, so
 * a score that very many labels share makes a larger group, and there may be fewer points.
 */
import type { ScoreHistogram } from './score-histogram.js'

export interface CalibrationPoint {
  meanPrediction: number
  observedRate: number
  count: number
  positives: number
}

const CALIBRATION_POINTS = 20

export function reliabilityCurve(histogram: ScoreHistogram, points = CALIBRATION_POINTS): CalibrationPoint[] {
  const total = histogram.counts.reduce((sum, count) => sum + count, 0)
  const curve: CalibrationPoint[] = []
  let seen = 0
  let count = 0
  let positives = 0
  let predicted = 0
  for (let bin = 0; bin < histogram.bins; bin++) {
    const here = histogram.negatives(bin) + histogram.positives(bin)
    if (here === 0) continue
    count += here
    positives += histogram.positives(bin)
    predicted += here * histogram.centre(bin)
    // The nth group ends once n/points of all labels are behind us, however large the groups before it came out.
    const ended = Math.floor(((seen + count) * points) / total) > Math.floor((seen * points) / total)
    if (ended) {
      curve.push({ meanPrediction: predicted / count, observedRate: positives / count, count, positives })
      seen += count
      count = 0
      positives = 0
      predicted = 0
    }
  }
  return curve
}

/**
 * Where only a share w of the negatives is learned (`label.keepNegatives`), what is learned from has higher odds than the
 * truth, by 1/w (He et al., ADKDD 2014, §6.3: q = p / (p + (1 − p) / w)). So the parts learn with log(1/w) added to their
 * logit, and what they predict, without it, is of all examples: one with another, in products and in stacks, and
 * calibrated.
 */
import type { TaskConfig } from '../config/schema.js'

/** log(1/w): by how much the log-odds are higher in what is learned from. */
export function sampledLogOdds({ keepNegatives = 1 }: TaskConfig['label']): number {
  return keepNegatives === 1 ? 0 : -Math.log(keepNegatives)
}

/**
 * The scale on which a numeric task is learned (tasks[].label.transform). Labels and predictions are in natural units
 * everywhere else.
 *
 * log1p: y' = log(1 + y), back by e^y' − 1. What is predicted is e to the expected logarithm, less 1: for prices that scatter
 * by factors it is near the median, below the mean.
 */
import type { TaskConfig } from '../config/schema.js'

export interface LabelScale {
  to(value: number): number
  from(scaled: number): number
}

const LOG: LabelScale = { to: Math.log1p, from: Math.expm1 }

/** undefined: labels are learned as they are. */
export function labelScale({ label }: TaskConfig): LabelScale | undefined {
  return label.transform === 'log1p' ? LOG : undefined
}

/**
 * The losses of a task, and those of a constant to measure them by: log loss of a binary task, squared error of a numeric
 * one as a share of its range. The constant is the mean of about the last 4096 labels as it was before each: when fewer
 * click at night, the losses of both fall.
 */

import type { TaskConfig } from '../../config/schema.js'
import { isProbability } from '../../domain/heads.js'
import { clipProbability } from '../metrics/log-loss.js'

const MEAN_LABELS = 4096
const RATE_FLOOR = 1e-6

export class TaskLosses {
  readonly isBinary: boolean
  readonly #range: readonly [number, number]
  /** So far. */
  labels = 0
  /** Of the labels. */
  mean: number

  constructor({ head, range = [0, 1] }: Pick<TaskConfig, 'head' | 'range'>) {
    this.isBinary = isProbability(head)
    this.#range = range
    this.mean = this.isBinary ? 0.5 : (range[0] + range[1]) / 2
  }

  /** 0 or 1 of a binary task. */
  labelOf(label: number): number {
    return this.isBinary ? (label >= 0.5 ? 1 : 0) : label
  }

  /** Of a prediction; label as labelOf() has it. */
  loss(value: number, label: number): number {
    if (!this.isBinary) return this.#squared(value, label)
    const probability = clipProbability(value)
    return -Math.log(label === 1 ? probability : 1 - probability)
  }

  /** Of the constant. */
  constant(label: number): number {
    if (!this.isBinary) return this.#squared(this.mean, label)
    const rate = this.#rate
    return -Math.log(label === 1 ? rate : 1 - rate)
  }

  /** The most that the constant may lose by the next label. */
  get most(): number {
    const { mean } = this
    const [low, high] = this.#range
    if (!this.isBinary) return (Math.max(high - mean, mean - low) / (high - low)) ** 2
    const rate = this.#rate
    return -Math.log(Math.min(rate, 1 - rate))
  }

  /** The first labels count as one more that was the middle. */
  learn(label: number): void {
    this.labels++
    this.mean += (label - this.mean) / Math.min(this.labels + 1, MEAN_LABELS)
  }

  get #rate(): number {
    return Math.min(Math.max(this.mean, RATE_FLOOR), 1 - RATE_FLOOR)
  }

  #squared(value: number, label: number): number {
    return ((value - label) / (this.#range[1] - this.#range[0])) ** 2
  }
}

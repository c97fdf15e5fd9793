/**
 * A drift detector that is nearly never wrong: bets that the losses, over those of a constant, are no more than 3 %
 * above where they were (../gate/rise-test.kernel.ts). In a million labels of a world that stays as it is one alarm in a
 * hundred logs; for that it sees large rises only, and those within some thousand labels.
 */
import { BLOCK, RiseTest } from '../gate/rise-test.kernel.js'
import type { DriftDetector } from './detector.js'

const FALSE_ALARMS = 1e-2
const MILLION = 1_000_000
const TEST = {
  tolerance: 0.03,
  floor: 0.02,
  sane: [0, 2],
  blockWeight: 0,
  threshold: MILLION / BLOCK / FALSE_ALARMS,
} as const

export class EDetector implements DriftDetector {
  readonly #test = new RiseTest(TEST)
  width = 0
  mean = 0

  update(loss: number, constantLoss: number, mostConstantLoss: number): boolean {
    this.#test.add(loss, constantLoss, mostConstantLoss)
    if (this.#test.isOver) {
      this.#test.restart()
      this.width = 0
      this.mean = 0
      return true
    }
    this.width++
    this.mean += (loss - this.mean) / this.width
    return false
  }

  saveNumbers(): number[] {
    return [this.width, this.mean, ...this.#test.saveNumbers()]
  }

  loadNumbers([width = 0, mean = 0, ...test]: readonly number[]): void {
    this.width = width
    this.mean = mean
    this.#test.loadNumbers(test)
  }
}

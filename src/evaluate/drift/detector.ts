/**
 * A change detector over a stream of losses. update() says whether the stream changed with this one; then it begins anew.
 * Beside the loss: that of a constant, the mean of the labels before, and the most that one could be.
 */
export interface DriftDetector {
  update(loss: number, constantLoss: number, mostConstantLoss: number): boolean
  /** Mean of the window that it regards as one distribution, as of the last update. */
  readonly mean: number
  /** Numbers in that window. */
  readonly width: number
  saveNumbers(): number[]
  loadNumbers(numbers: readonly number[]): void
}

/** A change detector over a stream of numbers. update() says whether the stream changed with this number; then it begins anew. */
export interface DriftDetector {
  update(value: number): boolean
  /** Mean of the window that it regards as one distribution, as of the last update. */
  readonly mean: number
  /** Numbers in that window. */
  readonly width: number
  saveNumbers(): number[]
  loadNumbers(numbers: readonly number[]): void
}

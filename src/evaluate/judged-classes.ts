/**
 * The classes of one categorical task in progressive validation: cells of totals, the window, and what the baseline has counted,
 * which learns a label behind its judgement as everybody does.
 */
import { classOfLabel } from '../domain/heads.js'
import { ClassMetrics } from './metrics/class-metrics.js'

/** The baseline begins as if each class had come once, so that none is impossible. */
const START = 1

export class JudgedClasses {
  readonly classes: readonly string[]
  /** [cells, size], [size], [classes]: what there is to save. */
  readonly totalSums: Float64Array
  readonly windowSums: Float64Array
  readonly counted: Float64Array
  readonly #first: number
  readonly #cells: ClassMetrics[]
  readonly window: ClassMetrics

  /** first: column of the first class. */
  constructor(classes: readonly string[], first: number, cells: number) {
    this.classes = classes
    this.#first = first
    const size = ClassMetrics.size(classes.length)
    this.totalSums = new Float64Array(cells * size)
    this.windowSums = new Float64Array(size)
    this.counted = new Float64Array(classes.length).fill(START)
    this.#cells = Array.from({ length: cells }, (_, cell) =>
      this.view(this.totalSums.subarray(cell * size, (cell + 1) * size)),
    )
    this.window = this.view(this.windowSums)
  }

  /** probabilities: of the example, from `from` on. label: as domain/heads.ts has it. cell: undefined = not in the totals. */
  add(probabilities: Float32Array, from: number, label: number, cell: number | undefined): void {
    const came = classOfLabel(label)
    this.window.add(probabilities, from + this.#first, came, this.counted)
    if (cell !== undefined) this.#cells[cell]?.add(probabilities, from + this.#first, came, this.counted)
    this.counted[came] = (this.counted[came] ?? 0) + 1
  }

  /** Of sums that were added up. */
  view(sums: Float64Array): ClassMetrics {
    return new ClassMetrics(sums, this.classes.length)
  }
}

/**
 * One task's figures by how many events the user, and by how many the item, had had when the example arrived. Each label
 * counts once for its user and once for its item.
 */
import { EXPERIENCE_BANDS } from '../domain/experience.js'
import { ITEM_BAND_SHIFT, USER_BAND_SHIFT } from '../features/columns.js'
import { BinaryMetrics } from './metrics/binary-metrics.js'
import { NumericMetrics } from './metrics/numeric-metrics.js'
import type { ExperienceMetrics } from './metrics/task-metrics.js'

/** Coarser than those of the totals: a band's labels are fewer. */
const BINS = 8_192
const BANDS = EXPERIENCE_BANDS.length
const SIDES = [
  ['user', USER_BAND_SHIFT],
  ['item', ITEM_BAND_SHIFT],
] as const

export class MetricsByExperience {
  /** [2 sides, 6 bands, size]: what there is to save. */
  readonly sums: Float64Array
  readonly #cells: (BinaryMetrics | NumericMetrics)[]

  constructor(binary: boolean) {
    const size = binary ? BinaryMetrics.size(BINS) : NumericMetrics.size
    this.sums = new Float64Array(SIDES.length * BANDS * size)
    this.#cells = Array.from({ length: SIDES.length * BANDS }, (_, cell) => {
      const sums = this.sums.subarray(cell * size, (cell + 1) * size)
      return binary ? new BinaryMetrics(sums) : new NumericMetrics(sums)
    })
  }

  /** flags: of the example, see features/columns.ts. */
  add(flags: number, value: number, label: number): void {
    for (let side = 0; side < SIDES.length; side++) {
      const band = (flags >> (SIDES[side]?.[1] ?? 0)) & 7
      this.#cells[side * BANDS + band]?.add(value, label)
    }
  }

  /** One entry a side and band; a band without labels has count 0 and no values. */
  metrics(task: string): ExperienceMetrics[] {
    return SIDES.flatMap(([side], index) =>
      EXPERIENCE_BANDS.map((events, band): ExperienceMetrics => {
        const cell = this.#cells[index * BANDS + band]
        return {
          task,
          side,
          events,
          count: cell?.count ?? 0,
          positives: cell?.positives ?? 0,
          values: cell?.values() ?? {},
        }
      }),
    )
  }
}

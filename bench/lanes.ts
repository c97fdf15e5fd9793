/** In which order rows are measured, how many at once, and how long the rest will take by what each took last time. */
import type { RowDefinition } from './row.js'

export interface Plan {
  /** Rows at once. */
  lanes: number
  /** What a row took when the table was last measured, by its name. */
  seconds: ReadonlyMap<string, number>
}

/**
 * Timings first, with nothing beside them; then the longest, or those that nobody has seen yet, so that no long one is
 * left over at the end. One lane without times keeps the order of the table.
 */
export async function inLanes(
  rows: readonly RowDefinition[],
  { lanes, seconds }: Plan,
  measure: (row: RowDefinition) => Promise<void>,
): Promise<void> {
  const expected = ({ name }: RowDefinition) => seconds.get(name) ?? Number.MAX_VALUE
  for (const row of rows) if (row.alone === true) await measure(row)
  const queue = rows.filter(row => row.alone !== true).sort((a, b) => expected(b) - expected(a))
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      for (let row = queue.shift(); row !== undefined; row = queue.shift()) await measure(row)
    }),
  )
}

/** The pace is as last time until rows have taken longer than this, so that a short one says little. */
const TRUSTED_SECONDS = 60

/** 'about 12 min left', at the pace of the rows that are finished; '' where a row was never seen. */
export function createForecast(rows: readonly RowDefinition[], { lanes, seconds }: Plan) {
  const unfinished = new Map(rows.map(({ name }) => [name, seconds.get(name) ?? Number.NaN]))
  const begun = new Map<string, number>()
  let [took, expected] = [TRUSTED_SECONDS, TRUSTED_SECONDS]
  return {
    begin(name: string): void {
      begun.set(name, performance.now())
    },
    end(name: string): void {
      const known = unfinished.get(name) ?? Number.NaN
      unfinished.delete(name)
      if (Number.isNaN(known)) return
      took += elapsed(name)
      expected += known
    },
    text(): string {
      const left = [...unfinished].map(([name, known]) => Math.max(0, (known * took) / expected - elapsed(name)))
      const minutes = left.reduce((sum, one) => sum + one, 0) / lanes / 60
      return Number.isNaN(minutes) ? '' : `, about ${Math.ceil(minutes)} min left`
    },
  }

  function elapsed(name: string): number {
    const start = begun.get(name)
    return start === undefined ? 0 : (performance.now() - start) / 1000
  }
}

/** What the fast part costs: the operations of an example log with drawn keys and numbers, in one thread. */
import { join } from 'node:path'
import { loadChecked } from '../src/app/load-checked.js'
import { MASK_COUNTED, MASK_REACHED } from '../src/domain/example.js'
import { createSlabBuffer, SLAB_ROWS, viewSlab } from '../src/features/columns.js'
import { layoutFeatures } from '../src/features/layout.js'
import { columnsOf } from '../src/learn/columns-of.js'
import { FastPart } from '../src/learn/fast-part.kernel.js'
import { packageRoot } from '../src/std/package-root.js'
import { Random } from '../src/std/random.js'
import type { Context, Measured } from './row.js'
import { spreadOf } from './statistics.js'

const VALUES_A_PLACE = 2000

export async function measureFastCost({ repeats, say }: Context): Promise<Measured> {
  say('the fast part alone')
  const { config } = loadChecked(join(packageRoot(), 'examples/tmall.yaml'), {})
  const layout = layoutFeatures(config.features, true)
  const columns = columnsOf(config, layout)
  const slab = viewSlab(createSlabBuffer(columns), columns)
  const random = new Random(1)
  for (let at = 0; at < SLAB_ROWS * columns.keyPlaces; at++) {
    slab.keys[at * 2] = at % columns.keyPlaces
    slab.keys[at * 2 + 1] = 1 + random.integer(VALUES_A_PLACE)
  }
  for (let at = 0; at < slab.dense.length; at++) slab.dense[at] = random.normal()
  const tasks = config.tasks.length
  const rows = Int32Array.from({ length: SLAB_ROWS }, (_, row) => row)
  const labels = Float32Array.from({ length: SLAB_ROWS * tasks }, () => (random.uniform() < 0.1 ? 1 : 0))
  // Every task is learned at every event: the click of a funnel always happened.
  for (let row = 0; row < SLAB_ROWS; row++) labels[row * tasks] = 1
  const operations = {
    fresh: new Uint8Array(SLAB_ROWS).fill(1),
    labels,
    mask: new Uint8Array(SLAB_ROWS * tasks).fill(MASK_COUNTED | MASK_REACHED),
  }
  const deep = new Float32Array(SLAB_ROWS * tasks).fill(0.1)
  const fast = new FastPart(config, layout, columns, false)
  const micros: number[] = []
  for (let pass = 0; pass < 5 + 10 * repeats; pass++) {
    const start = performance.now()
    fast.run([slab], { rows, operations, eventTimeMs: 0 }, deep)
    if (pass >= 5) micros.push(((performance.now() - start) * 1000) / (SLAB_ROWS * tasks))
  }
  const { min, median, max } = spreadOf(micros)
  return {
    // The least is what the work takes; the rest is what else the machine does.
    figures: [{ name: 'cost', format: 'micros', value: min, limit: { better: 'lower', reach: 6, strive: 3 } }],
    details: { min, median, max, passes: micros.length },
  }
}

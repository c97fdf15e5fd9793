/**
 * Does a long replay keep to its memory? Ten million events at the daily rate of the log of one million: what is
 * bounded by a window in event time is full after the first million, and what still grows afterwards is a leak or rows,
 * of the embedding tables and of the keyed state (counters, recent items, profiles). Both say what they hold, and that
 * is taken off.
 *
 * Resident memory jitters with every garbage collection and checkpoint. Judged are medians over stretches of a tenth of
 * the million after which flatness is asked for; the worst single sample is in the details.
 */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { packageRoot } from '../src/std/package-root.js'
import type { MemorySample } from './memory-samples.js'
import { benchProgram } from './program.js'
import { type Context, type Measured, NotMeasured } from './row.js'
import { shopLog } from './shop.js'
import { medianOf } from './statistics.js'

const SCRATCH = '.data/bench/memory'

export async function measureMemory(context: Context): Promise<Measured> {
  const { quick, say } = context
  const [events, warmUp] = quick ? [500_000, 100_000] : [10_000_000, 1_000_000]
  const log = await shopLog(`log-${events}`, events, context)
  say(`memory: replaying ${events.toLocaleString('en')} events`)
  const { stdout, seconds } = await benchProgram(
    'memory-samples.js',
    ...log,
    `outputs.path=../${SCRATCH}/out`,
    `checkpoint.path=../${SCRATCH}/checkpoints`,
  )
  await rm(join(packageRoot(), SCRATCH), { recursive: true, force: true })
  const samples = stdout
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as MemorySample)
  const summary = flatness(samples, warmUp)
  if (summary === undefined) throw new NotMeasured(`the replay of ${events} events gave ${samples.length} samples`)
  return {
    figures: [
      {
        name: 'deviation',
        format: 'percent',
        value: summary.deviationPercent,
        limit: { better: 'lower', reach: 5 },
      },
    ],
    details: { events, seconds, ...summary },
  }
}

/** The greatest deviation, up or down, from what was resident at `warmUp` records, rows taken off. */
export function flatness(samples: readonly MemorySample[], warmUp: number) {
  const stretches = new Map<number, MemorySample[]>()
  for (const sample of samples) {
    const stretch = Math.floor((sample.records / warmUp) * 10)
    stretches.set(stretch, [...(stretches.get(stretch) ?? []), sample])
  }
  const medians = [...stretches].map(([stretch, some]) => ({
    records: (stretch * warmUp) / 10,
    residentBytes: medianOf(some.map(({ rssBytes }) => rssBytes)),
    withoutRowsBytes: medianOf(some.map(withoutRows)),
  }))
  const steady = medians.filter(({ records }) => records >= warmUp)
  const [start, last] = [steady[0], steady.at(-1)]
  const [first, end] = [samples.find(({ records }) => records >= warmUp), samples.at(-1)]
  if (start === undefined || last === undefined || first === undefined || end === undefined) return undefined
  const percent = (bytes: number) => ((bytes - start.withoutRowsBytes) / start.residentBytes) * 100
  const worst = (values: readonly number[]) => Math.max(...values.map(bytes => Math.abs(percent(bytes))))
  return {
    deviationPercent: worst(steady.map(({ withoutRowsBytes }) => withoutRowsBytes)),
    growthPercent: percent(last.withoutRowsBytes),
    worstSamplePercent: worst(samples.filter(({ records }) => records >= warmUp).map(withoutRows)),
    atStart: first,
    atEnd: end,
    stretches: medians,
  }
}

function withoutRows({ rssBytes, tableBytes, keyedBytes }: MemorySample): number {
  return rssBytes - tableBytes - keyedBytes
}

/**
 * Does a long replay keep to its memory? Ten million events at the daily rate of the log of one million: what is
 * bounded by a window in event time is full after the first million, and what still grows afterwards is a leak or rows,
 * of the embedding tables and of the keyed state (counters, recent items, profiles). Both say what they hold, and that
 * is taken off.
 *
 * Resident memory rises for a while with every checkpoint (each 250,000 records) and falls with garbage collections.
 * Judged are medians over stretches of half a million records, against the first one after the first million; the worst
 * single sample is in the details.
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
  const [events, warmUp] = quick ? [500_000, 200_000] : [10_000_000, 1_000_000]
  const log = await shopLog(`log-${events}`, events, context)
  say(`memory: replaying ${events.toLocaleString('en')} events, which takes some minutes`)
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

/** The greatest deviation of a stretch, up or down, from the first one behind `warmUp` records, rows taken off. */
export function flatness(samples: readonly MemorySample[], warmUp: number) {
  const width = warmUp / 2
  const stretches = new Map<number, MemorySample[]>()
  for (const sample of samples) {
    const records = Math.floor(sample.records / width) * width
    const stretch = stretches.get(records)
    if (stretch === undefined) stretches.set(records, [sample])
    else stretch.push(sample)
  }
  const medians = [...stretches].map(([records, some]) => ({
    records,
    residentBytes: medianOf(some.map(({ rssBytes }) => rssBytes)),
    withoutRowsBytes: medianOf(some.map(withoutRows)),
  }))
  const steady = samples.filter(({ records }) => records >= warmUp)
  const [first, end] = [steady[0], steady.at(-1)]
  // The last stretch is cut short by the end of the log, where all that waits matures at once.
  const judged = medians.filter(({ records }) => records >= warmUp && records + width * 0.9 <= (end?.records ?? 0))
  const [start, last] = [judged[0], judged.at(-1)]
  if (start === undefined || last === undefined || first === undefined || end === undefined) return undefined
  const percent = (bytes: number) => ((bytes - start.withoutRowsBytes) / start.residentBytes) * 100
  const worst = (values: readonly number[]) => Math.max(...values.map(bytes => Math.abs(percent(bytes))))
  return {
    deviationPercent: worst(judged.map(({ withoutRowsBytes }) => withoutRowsBytes)),
    growthPercent: percent(last.withoutRowsBytes),
    worstSamplePercent: worst(steady.map(withoutRows)),
    atStart: first,
    atEnd: end,
    stretches: medians,
  }
}

function withoutRows({ rssBytes, tableBytes, keyedBytes }: MemorySample): number {
  return rssBytes - tableBytes - keyedBytes
}

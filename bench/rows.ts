/** The rows of the table, in its order, with the numbers to reach. */
import { existsSync } from 'node:fs'
import { measureMemory } from './memory.js'
import { measureMovieLens, measureTmall } from './quality.js'
import { qualityRows } from './quality-rows.js'
import { measureReplay } from './replay.js'
import { measureResume } from './resume.js'
import { type Context, type Measured, NotMeasured, type RowDefinition } from './row.js'
import { measureStarvedIds } from './starved.js'
import { spreadOf } from './statistics.js'
import { benchStep, type StepResult } from './step.js'
import { benchTable, type TableBench } from './table.js'
import { measureTopN } from './top-n.js'
import type { Limit } from './verdict.js'

export function createRows(): RowDefinition[] {
  // Rows that one measurement gives together.
  const step = once(measureStep)
  const table = once(measureTable)
  return [
    {
      name: 'step-onnx',
      what: 'onnx step ÷ PyTorch eager (batched experts), batch 1024, 1 thread',
      measure: async context => stepRatio(await step(context), 'onnx', { better: 'higher', reach: 0.9, strive: 1.2 }),
    },
    {
      name: 'step-tfjs',
      what: 'tfjs-node-gpu package on this CPU ÷ the same PyTorch',
      measure: async context =>
        stepRatio(await step(context), 'tfjs-node-gpu', { better: 'higher', reach: 0.4, strive: 0.7 }),
    },
    {
      name: 'replay',
      what: 'replay of a simulated log of 1M events, MMoE, 10 slots × 16, all outputs on: events/s of the whole process',
      measure: measureReplay,
    },
    {
      name: 'rows-time',
      what: 'step time with the most rows ÷ with 10k rows, same batch',
      measure: context => rowsTime(table(context), 'hot'),
    },
    {
      name: 'rows-time-cold',
      what: 'the same, batches drawn evenly from all rows: the worst case',
      measure: context => rowsTime(table(context), 'cold'),
    },
    {
      name: 'rows-memory',
      what: 'memory per embedding row, dim 16, optimiser included',
      async measure(context) {
        const { sizes } = await table(context)
        const largest = sizes.at(-1)
        const limit: Limit = { better: 'lower', reach: 110, strive: 84 }
        return {
          figures: [{ name: 'bytes', format: 'bytes', value: largest?.bytesPerRow ?? Number.NaN, limit }],
          details: sizes.map(({ rows, bytesPerRow, rssPerRow }) => ({ rows, bytesPerRow, rssPerRow })),
        }
      },
    },
    {
      name: 'memory',
      what: 'resident memory over a long replay after its first million events, rows taken off: deviation',
      slow: true,
      measure: measureMemory,
    },
    { name: 'resume', what: 'resume (restore + ready) with a million rows, whole process', measure: measureResume },
    {
      name: 'ml-100k',
      what: 'ml-100k, ratings, one pass, all 100,000, learned at every event',
      measure: measureMovieLens,
    },
    { name: 'tmall', what: 'tmall-dev, impressions of days 30–59, one pass', measure: measureTmall },
    ...qualityRows,
    {
      name: 'starved-ids',
      what: 'the starved case of ids and side ids alone: AUC against fixed 4:1:1 (click) and the default (like)',
      slow: true,
      measure: measureStarvedIds,
    },
    { name: 'top-n', what: 'top-N over 100,000 items: one exact answer; learning one positive', measure: measureTopN },
  ]
}

async function rowsTime(bench: ReturnType<typeof benchTable>, kind: 'hot' | 'cold'): Promise<Measured> {
  const { ratio, sizes } = await bench
  const limit: Limit = { better: 'lower', reach: 1.25, strive: 1.1 }
  return { figures: [{ name: 'ratio', format: 'ratio', value: ratio[kind].step, limit }], details: { ratio, sizes } }
}

function once<T>(measure: (context: Context) => Promise<T>): (context: Context) => Promise<T> {
  let result: Promise<T> | undefined
  return context => (result ??= measure(context))
}

function measureStep({ python, say }: Context): Promise<StepResult> {
  say('one training step beside PyTorch')
  return benchStep(existsSync(python) ? { python } : {})
}

function stepRatio({ ratios, sides, missing, shape }: StepResult, name: string, limit: Limit): Measured {
  const gap = missing.find(side => side.name === name) ?? missing.find(side => side.name === 'torch')
  if (gap !== undefined)
    throw new NotMeasured(gap.name === 'torch' ? `${gap.reason}; scripts/provision-torch installs it` : gap.reason)
  const ratio = ratios.find(side => side.name === name)
  return {
    figures: [{ name: 'ratio', format: 'ratio', value: spreadOf(ratio?.rounds ?? []), limit }],
    details: { shape, sides: sides.filter(side => side.name === name || side.name === 'torch') },
  }
}

function measureTable({ quick, say }: Context): Promise<TableBench> {
  say('one step against the number of rows')
  return benchTable(quick ? { sizes: [10_000, 1_000_000], rounds: 3 } : {})
}

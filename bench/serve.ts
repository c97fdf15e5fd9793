/** `npm run bench:serve`: what a follower and its HTTP server take to answer, also while a large delta is applied, and what it costs a learner to be watched. */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { packageRoot } from '../src/std/package-root.js'
import { Random } from '../src/std/random.js'
import { checkNames, measureRows } from './harness.js'
import type { Context, Measured, RowDefinition } from './row.js'
import { followByHand } from './serve-follower.js'
import { load, serveFolder } from './serve-http.js'
import { createServeWorld, type ServeWorld } from './serve-world.js'
import { spreadOf } from './statistics.js'
import { measureWatching } from './watch-cost.js'

const HELP = `npm run bench:serve -- [options]
  --only NAME     only this row; may be repeated (NAMES)
  --quick         a small model: does everything work? Its verdicts say little
  --json          print the JSON instead of the table
  --out FILE      where the JSON goes (default .data/bench/serve.json)
`
const CANDIDATES = 100
const CONNECTIONS = 32

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    out: { type: 'string', default: join(packageRoot(), '.data/bench/serve.json') },
    help: { type: 'boolean', default: false },
  },
})
let made: Promise<ServeWorld> | undefined
const world = (context: Context) => {
  made ??= createServeWorld(context)
  return made
}

const rows: RowDefinition[] = [
  {
    name: 'score',
    what: 'follower in process: score 100 candidates (MMoE, 10 slots × 16), ms',
    measure: async context => {
      const { follower, close } = await open(await world(context))
      const ask = questions(await world(context))
      const runs = await repeated(context, async () => percentiles(await timed(1000, () => follower.score(ask()))))
      await close()
      return {
        figures: [
          figure(
            'p50',
            runs.map(({ p50 }) => p50),
            { reach: 1, strive: 0.4 },
          ),
          figure(
            'p99',
            runs.map(({ p99 }) => p99),
            { reach: 5, strive: 1.5 },
          ),
        ],
        details: { runs },
      }
    },
  },
  {
    name: 'http',
    what: 'HTTP: score 100 candidates, a process of its own, 32 connections',
    measure: async context => {
      const made = await world(context)
      const ask = questions(made)
      const bodies = Array.from({ length: 500 }, () => JSON.stringify(ask()))
      const server = await serveFolder(made.full)
      try {
        const url = `${server.url}/v1/score`
        await load(url, bodies, CONNECTIONS, 2)
        const runs = await repeated(context, () => load(url, bodies, CONNECTIONS, context.quick ? 2 : 8))
        const failed = runs.reduce((sum, run) => sum + run.failed, 0)
        const p99 = runs.map(({ times }) => percentiles(times).p99)
        return {
          figures: [
            {
              name: 'req/s',
              format: 'count',
              value: spreadOf(runs.map(({ perSecond }) => perSecond)),
              limit: { better: 'higher', reach: 600, strive: 2000 },
            },
            figure('p99', p99, { reach: 80 }),
            { name: 'failed', format: 'count', value: failed, limit: { better: 'lower', reach: 0 } },
          ],
          details: { p50: runs.map(({ times }) => percentiles(times).p50), p99 },
        }
      } finally {
        await server.stop()
      }
    },
  },
  {
    name: 'top',
    what: 'top-N over 100,000 items, exact, the best 100 scored by all heads, ms',
    measure: async context => {
      const made = await world(context)
      const { follower, close } = await open(made)
      const random = new Random(3)
      const ask = () => follower.top({ user: made.user(random), size: 20, context: made.context(random) })
      const runs = await repeated(context, async () => percentiles(await timed(300, ask)))
      const { items } = follower.model()
      await close()
      return {
        figures: [
          figure(
            'p99',
            runs.map(({ p99 }) => p99),
            { reach: 20, strive: 8 },
          ),
        ],
        details: { items, runs },
      }
    },
  },
  {
    name: 'delta',
    what: 'scoring while a delta of a million rows is applied: p99 ÷ idle, failed requests',
    measure: context => measureDelta(context),
  },
  {
    name: 'watch',
    what: 'a learner with dashboard, metrics and publish gate, watched by a client, against the same without: cost',
    measure: measureWatching,
  },
]

async function measureDelta(context: Context): Promise<Measured> {
  const made = await world(context)
  const ask = questions(made)
  const runs = await repeated(context, async () => {
    const { follower, give, close } = await open(made)
    const idle = percentiles(await timed(1000, () => follower.score(ask())))
    let isApplied = false
    let failed = 0
    const started = performance.now()
    const applying = give(made.delta).then(() => {
      isApplied = true
      return performance.now() - started
    })
    const times: number[] = []
    const versions = new Set<number>()
    while (!isApplied) {
      const start = performance.now()
      const answer = await follower.score(ask()).catch(() => undefined)
      if (answer === undefined) failed++
      else versions.add(answer.version)
      times.push(performance.now() - start)
    }
    const appliedMs = await applying
    await close()
    return { idle, during: percentiles(times), requests: times.length, versions: versions.size, failed, appliedMs }
  })
  return {
    figures: [
      {
        name: 'p99 ÷ idle',
        format: 'ratio',
        value: spreadOf(runs.map(({ idle, during }) => during.p99 / idle.p99)),
        limit: { better: 'lower', reach: 2, strive: 1.2 },
      },
      {
        name: 'failed',
        format: 'count',
        value: runs.reduce((sum, run) => sum + run.failed, 0),
        limit: { better: 'lower', reach: 0, strive: 0 },
      },
    ],
    details: { changedRows: made.changedRows, deltaBytes: made.deltaBytes, runs },
  }
}

/** A follower that is at the full version, warm. */
async function open(made: ServeWorld) {
  const { follower, give } = await followByHand(made.loaded)
  await give(made.full)
  const ask = questions(made)
  await timed(300, () => follower.score(ask()))
  return { follower, give, close: () => follower.close() }
}

function questions(made: ServeWorld) {
  const random = new Random(2)
  return () => ({
    user: made.user(random),
    items: made.candidates(random, CANDIDATES),
    context: made.context(random),
  })
}

async function repeated<T>({ repeats }: Context, run: () => Promise<T>): Promise<T[]> {
  const runs: T[] = []
  while (runs.length < repeats) runs.push(await run())
  return runs
}

async function timed(count: number, work: () => Promise<unknown>): Promise<number[]> {
  const times: number[] = []
  while (times.length < count) {
    const start = performance.now()
    await work()
    times.push(performance.now() - start)
  }
  return times
}

function percentiles(times: readonly number[]): { p50: number; p99: number } {
  const sorted = times.toSorted((a, b) => a - b)
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
  return { p50: at(0.5), p99: at(0.99) }
}

function figure(name: string, runs: readonly number[], limit: { reach: number; strive?: number }) {
  return { name, format: 'ratio', value: spreadOf(runs), limit: { better: 'lower', ...limit } } as const
}

const context: Context = {
  quick: options.quick,
  repeats: options.quick ? 2 : 5,
  python: '',
  say: progress => console.error(`bench: ${progress}`),
}
checkNames(rows, options.only, options.help, HELP)
await measureRows(rows, context, { only: options.only, json: options.json, out: options.out })

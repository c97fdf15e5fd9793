/**
 * What it costs a learner to be watched: `run` of a finite log with the dashboard open in a client, its metrics scraped
 * every second and the publish gate on, against the same without all that. In turns.
 */
import { rm } from 'node:fs/promises'
import { get } from 'node:http'
import { createServer } from 'node:net'
import { join } from 'node:path'
import type { RunSummary } from '../src/evaluate/report/summary.js'
import { packageRoot } from '../src/std/package-root.js'
import { millrace } from './program.js'
import type { Context, Measured } from './row.js'
import { REPLAY_CONFIG, shopLog } from './shop.js'
import { spreadOf } from './statistics.js'
import type { Figure } from './verdict.js'

const SCRATCH = '.data/bench/watch'
const EVERY_MS = 1000

export async function measureWatching(context: Context): Promise<Measured> {
  const { quick, repeats, say } = context
  const log = await shopLog(quick ? 'log-quick' : 'log-watch', quick ? 100_000 : 300_000, context)
  const settings = [
    ...log,
    ...[`outputs.path=../${SCRATCH}/out`, `checkpoint.path=../${SCRATCH}/checkpoints`],
    ...[`evaluate.report=../${SCRATCH}/report.html`, 'outputs.snapshotEverySteps=100'],
  ]
  const run = async (...more: string[]) => {
    await rm(join(packageRoot(), SCRATCH), { recursive: true, force: true })
    const { stdout, cpuSeconds } = await millrace('run', REPLAY_CONFIG, '--json', '--set', ...settings, ...more)
    const { eventsPerSecond } = JSON.parse(stdout) as RunSummary
    return { eventsPerSecond, cpuSeconds }
  }
  const runs: Record<'alone' | 'watched', Awaited<ReturnType<typeof run>>>[] = []
  const seen: number[] = []
  for (let round = 1; round <= repeats; round++) {
    say(`watching: round ${round} of ${repeats}`)
    const alone = await run('http.enabled=false')
    const [http, observe] = [await freePort(), await freePort()]
    const watcher = watch(http, observe)
    const watched = await run(`http.port=${http}`, `observe.port=${observe}`, 'outputs.gate.falseAlarms=0.001')
    seen.push(watcher.end())
    runs.push({ alone, watched })
  }
  await rm(join(packageRoot(), SCRATCH), { recursive: true, force: true })
  const cost = (name: string, of: (run: (typeof runs)[number]) => number): Figure => {
    const value = spreadOf(runs.map(of))
    return { name, format: 'percent', value, limit: { better: 'lower', reach: 5, strive: 2 } }
  }
  return {
    figures: [
      cost('time', ({ alone, watched }) => 100 * (alone.eventsPerSecond / watched.eventsPerSecond - 1)),
      cost('CPU', ({ alone, watched }) => 100 * (watched.cpuSeconds / alone.cpuSeconds - 1)),
    ],
    details: { runs, scrapesAndEvents: seen },
  }
}

/** Scrapes, and follows the dashboard's stream, as soon as it is there. end(): how often something came. */
function watch(http: number, observe: number) {
  let came = 0
  let isStreaming = false
  const stream = () => {
    if (isStreaming) return
    isStreaming = true
    get({ port: http, path: '/v1/stream' }, response => {
      response.on('data', () => came++)
      response.on('error', () => {})
    }).on('error', () => {
      isStreaming = false
    })
  }
  const timer = setInterval(() => {
    stream()
    get({ port: observe, path: '/metrics' }, response => {
      response.resume()
      came++
    }).on('error', () => {})
  }, EVERY_MS)
  return {
    end() {
      clearInterval(timer)
      return came
    },
  }
}

function freePort(): Promise<number> {
  return new Promise(resolve => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
}

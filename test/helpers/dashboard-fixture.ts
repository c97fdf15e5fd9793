/** A server with a dashboard that shows what a test says, and a model that answers by rule. */
import { configSchema } from '../../src/config/schema.js'
import { silentLog } from '../../src/observe/log.js'
import { dashboardRoutes } from '../../src/serve/http/dashboard-routes.js'
import type { HttpPlugin } from '../../src/serve/http/plugin.js'
import { type HttpServer, serveHttp } from '../../src/serve/http/server.js'
import { statusRoutes } from '../../src/serve/http/status-routes.js'
import type { About, WindowPoint } from '../../src/serve/telemetry/status.js'
import { type Reading, Telemetry } from '../../src/serve/telemetry/telemetry.js'
import { systemClock } from '../../src/std/clock.js'
import { smallConfig } from './small-config.js'

export const TASKS = [
  { name: 'click', head: 'binary', rank: 1, prior: 1 },
  { name: 'buy', head: 'binary', rank: 5, prior: 1 },
  { name: 'rating', head: 'regression', rank: 0.1, prior: 1 },
]

const START_MS = Date.UTC(2026, 4, 1, 12)

export function aboutFixture(changes: Partial<About> = {}): Omit<About, 'startedAt'> {
  return {
    name: 'shop',
    program: '1.2.3',
    backend: 'onnxruntime-node 1.30.0 on the CPU, 1 thread',
    configHash: '0123456789abcdef',
    learns: true,
    scores: true,
    live: false,
    challengers: false,
    weighting: 'uncertainty',
    tasks: TASKS,
    ...changes,
  }
}

/** The nth window: figures that improve and wobble. */
export function windowFixture(n: number): WindowPoint {
  const wobble = Math.sin(n * 2.1) * 0.02
  const better = 1 - Math.exp(-n / 8)
  const binary = (task: string, count: number, positives: number) => ({
    task,
    count,
    positives,
    values: {
      auc: 0.5 + 0.22 * better + wobble,
      logLoss: 0.3 - 0.06 * better - wobble,
      normalisedEntropy: 0.94,
      pcoc: 1,
    },
    baseline: { auc: 0.5, logLoss: 0.31 },
  })
  return {
    records: (n + 1) * 5000,
    eventTime: START_MS + n * 3_600_000,
    step: (n + 1) * 80,
    loss: 1 - 0.3 * better,
    weights: [1 + wobble, 2 + better, 0.8 - wobble],
    tasks: [
      binary('click', 4500, 400),
      binary('buy', 4500, 30),
      {
        task: 'rating',
        count: 50,
        positives: 0,
        values: { rmse: 1 - 0.2 * better + wobble, mae: 0.8 },
        baseline: { rmse: 1.1 },
      },
    ],
    gates: [0.9, 0.6, 0.4].map(share => [0.5 + (share - 0.5) * better, 0.5 - (share - 0.5) * better]),
    tables: { rows: 1000 + n * 100, admitted: 1000 + n * 100, evicted: n, expired: 0, bytes: 9_000_000 + n * 1000 },
  }
}

export const LEARNING: Reading = {
  state: 'learning',
  text: 'events are read, outputs are published',
  records: 150_000,
  share: 0.75,
  eventTime: START_MS + 30 * 3_600_000,
  step: 2400,
  loss: 0.7,
  events: { impression: 120_000, click: 12_000, buy: 900, rating: 1500, item: 800 },
  rejects: { 'invalid-id': 12 },
  drops: { duplicate: 3 },
  labels: {
    waiting: 3420,
    matured: 230_000,
    attributed: { click: 11_900, buy: 880, rating: 0 },
    organic: 4,
    late: 17,
    maturity: {
      click: { '1m': 0.71, '10m': 0.96, '1h': 1 },
      buy: { '1m': 0.02, '10m': 0.11, '1h': 0.4, '6h': 0.62, '1d': 0.8, '3d': 0.93, '7d': 1 },
    },
  },
}

/** As after 30 windows. */
export function telemetryFixture(about: Partial<About> = {}, reading: Reading = LEARNING): Telemetry {
  const telemetry = new Telemetry(aboutFixture(about), systemClock)
  for (let n = 0; n < 30; n++) telemetry.window(windowFixture(n))
  telemetry.calibration(
    ['click', 'buy'].map(task => ({
      task,
      points: [0.01, 0.02, 0.05, 0.1, 0.3].map(predicted => ({ predicted, observed: predicted * 1.1, count: 1000 })),
    })),
  )
  const metrics = { 'click.auc': 0.68 }
  for (const version of [1000, 2000])
    telemetry.snapshot({
      version,
      kind: version === 1000 ? 'full' : 'delta',
      eventTime: START_MS,
      records: version * 60,
      bytes: 1_500_000,
      rows: 4000,
      metrics,
      verdict: 'published',
      reason: '',
    })
  telemetry.alarm({
    records: 80_000,
    eventTime: START_MS,
    task: 'click',
    detector: 'adwin',
    lossBefore: 0.05,
    lossNow: 0.09,
  })
  telemetry.read(() => reading)
  telemetry.sample()
  return telemetry
}

/** What a model might say; ids are `items`, best first at the configured weights. */
export function modelFixture(items: readonly string[]): HttpPlugin {
  const valuesOf = (item: string) => {
    const at = items.indexOf(item)
    return { click: 0.4 - 0.02 * at, buy: 0.001 * at, rating: 3 }
  }
  return async app => {
    let pinned: number | undefined
    const model = () => ({
      version: pinned ?? 2000,
      full: 1000,
      deltas: 1,
      eventTime: START_MS,
      ageSeconds: 2,
      state: 'ready',
      tasks: TASKS,
      ...(pinned === undefined ? {} : { pinned }),
    })
    app.get('/v1/model', async () => model())
    app.get('/v1/versions', async () => ({
      versions: [1000, 1500, 2000].map(version => ({
        version,
        kind: version === 1000 ? 'full' : 'delta',
        eventTime: START_MS + version * 1000,
        outcome: version === 1500 ? 'damaged' : 'taken',
      })),
    }))
    app.put('/v1/model/pin', { config: { scope: 'admin' } }, async request => {
      pinned = (request.body as { version: number }).version
      return model()
    })
    app.delete('/v1/model/pin', { config: { scope: 'admin' } }, async () => {
      pinned = undefined
      return model()
    })
    app.get('/v1/users', async () => ({ users: ['ada', 'bob'] }))
    app.get('/v1/users/:user', async () => ({ recent: [{ item: items[3], weight: 2, eventTime: START_MS }] }))
    app.get('/v1/items/:item/similar', async () => ({ version: 2000, items: [{ item: items[5], score: 0.9 }] }))
    app.post('/v1/top', { config: { scope: 'read' } }, async request => {
      const { weights, size } = request.body as { weights: Record<string, number>; size: number }
      const scored = items.map(item => {
        const values = valuesOf(item)
        const rank =
          values.click * (weights.click ?? 1) +
          values.buy * (weights.buy ?? 5) +
          values.rating * (weights.rating ?? 0.1)
        return { item, values, rank, score: rank }
      })
      return { version: 2000, items: scored.sort((a, b) => b.rank - a.rank).slice(0, size) }
    })
    app.post('/v1/explain', { config: { scope: 'read' } }, async request => {
      const { item } = request.body as { item: string }
      const task = (value: number) => ({
        value,
        parts: [{ name: 'network', value: -1.2 }],
        slots: [
          { name: 'item', contribution: 0.8 },
          { name: 'city', contribution: -0.3 },
        ],
        gates: [0.5, 0.3, 0.2],
      })
      const { click, buy, rating } = valuesOf(item)
      return { version: 2000, tasks: { click: task(click), buy: task(buy), rating: task(rating) } }
    })
  }
}

export function serveDashboard(
  telemetry: Telemetry,
  routes: readonly HttpPlugin[],
  { keys = [], port = 0 }: { keys?: string[]; port?: number } = {},
): Promise<HttpServer> {
  const http = { ...configSchema.parse(smallConfig).http, port, keys }
  const plugins = [dashboardRoutes, statusRoutes(telemetry), ...routes]
  return serveHttp({ http, folder: '.', version: '1.2.3', logger: silentLog, clock: systemClock, plugins })
}

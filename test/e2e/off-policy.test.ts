/** Off-policy estimates of a simulated shop, whose true probabilities are known. */
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { replay } from '../../src/app/replay-file.js'
import type { RunReport } from '../../src/evaluate/report/report.js'
import { simulateShop } from '../../src/simulate/simulate.js'
import { createTruthWriter, readTruth, TRUTH_FILE } from '../../src/simulate/truth.js'
import { createLogWriter } from '../../src/sink/log-writer.js'
import { Workspace } from '../helpers/workspace.js'

const SHOP = {
  seed: 11,
  events: 60_000,
  users: 500,
  items: 150,
  days: 20,
  partitions: 1,
  bots: 0,
  malformed: 0,
  explore: 1,
}
/** Of the simulator's logit, by the logarithm of the position (simulate/behaviour.ts). */
const POSITION = 0.45

const CONFIG = {
  name: 'explored',
  source: { log: 'log' },
  tasks: [{ name: 'click', head: 'binary', label: { event: 'click', window: '30m' } }],
  features: {
    slots: [
      { name: 'user', from: 'user', bias: true },
      { name: 'item', from: 'item', bias: true },
      { name: 'category', from: 'item.category', max: 1 },
    ],
    numeric: [{ name: 'item-ctr', rate: 'click', by: 'item', halfLife: '7d', prior: 50 }],
  },
  model: { hidden: [16], dim: 8 },
  batch: { tick: '1h' },
  outputs: { path: 'out', snapshotEverySteps: 0 },
  evaluate: { policy: { reward: 'click' } },
}

const workspace = new Workspace(CONFIG)
const file = workspace.path('millrace.yaml')
let report: RunReport

before(async () => {
  const log = createLogWriter({ path: workspace.path('log'), partitions: 1 })
  const truth = createTruthWriter(workspace.path('log', TRUTH_FILE))
  await simulateShop(SHOP, log, undefined, truth)
  log.close()
  await truth.close()
  report = await replay(file)
})

/** Clicks an impression that the pages of the log would have got, as shown and by the scores that were published. */
async function trueValues(): Promise<{ logged: number; ranked: number }> {
  await replay(file, { write: true })
  const scores = new Map<string, { requestId: string | null; rankScore: number }>()
  for (const line of await workspace.records<{ eventId: string; requestId: string | null; rankScore: number }>(
    'predictions',
  ))
    scores.set(line.eventId, line)
  // Impressions of a page have rising event ids, in the order of their places.
  const pages = new Map<string, { logit: number; score: number }[]>()
  for await (const { eventId, click } of readTruth(workspace.path('log', TRUTH_FILE))) {
    const { requestId, rankScore } = scores.get(eventId) ?? { requestId: null, rankScore: 0 }
    if (requestId === null) continue
    const page = pages.get(requestId) ?? []
    if (page.length === 0) pages.set(requestId, page)
    const position = page.length + 1
    page.push({ logit: Math.log(click / (1 - click)) + POSITION * Math.log(position), score: rankScore })
  }
  const value = (page: { logit: number }[]) =>
    page.reduce((sum, { logit }, index) => sum + 1 / (1 + Math.exp(POSITION * Math.log(index + 1) - logit)), 0)
  let [shown, logged, ranked] = [0, 0, 0]
  for (const page of pages.values()) {
    shown += page.length
    logged += value(page)
    ranked += value([...page].sort((a, b) => b.score - a.score))
  }
  return { logged: logged / shown, ranked: ranked / shown }
}

test('the estimates of the order by rank score cover its true value, and DR is no wider than IPS', async () => {
  const { logged, ranked } = await trueValues()
  const { policy } = report
  assert.equal(policy?.refused, undefined)
  assert.ok(policy?.values)
  const { values } = policy
  assert.ok(Math.abs(policy.meanWeight - 1) < 0.03)
  assert.ok(policy.effective > 5000 && policy.effective < policy.impressions / 4)
  assert.ok(values.logged.low < logged && logged < values.logged.high)
  for (const estimator of ['ips', 'snips', 'dr'] as const) {
    const { low, high } = values[estimator]
    assert.ok(low < ranked && ranked < high, `${estimator}: ${low} to ${high}, true ${ranked}`)
  }
  const width = (estimator: 'ips' | 'dr') => values[estimator].high - values[estimator].low
  assert.ok(width('dr') < 1.05 * width('ips'))
  assert.ok(values.gain.low < ranked - logged && ranked - logged < values.gain.high)
})

test('asking for the estimate changes no figure', async () => {
  const { tasks } = await replay(file, { set: ['evaluate.policy.reward=click', 'evaluate.interval=user'] })
  assert.deepEqual(tasks, report.tasks)
})

test('scores that know the place are refused, and so is a log that says no propensities', async () => {
  const slots = [...CONFIG.features.slots, { name: 'place', from: 'position' }]
  const placed = await replay(file, { set: [`features.slots=${JSON.stringify(slots)}`] })
  assert.match(placed.policy?.refused ?? '', /depend on the place .*slot 'place'/)
  assert.equal(placed.policy?.values, undefined)
  const silent = await replay(file, { set: ['evaluate.policy.propensity=probability'] })
  assert.match(silent.policy?.refused ?? '', /^No impression has a propensity/)
})

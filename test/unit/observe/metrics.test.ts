import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DECLARATIONS, type Declaration } from '../../../src/observe/declarations.js'
import { Metrics } from '../../../src/observe/metrics.js'
import { assertPromtool, parseMetrics, promtoolSkip } from '../../helpers/metrics.js'

const declared = Object.entries<Declaration>(DECLARATIONS)

test('every declared metric is there with its help and its type, and none that is not declared', async () => {
  const text = await new Metrics().text()
  const found = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => `${name} ${type}`)
  assert.deepEqual(found.sort(), declared.map(([name, { type }]) => `${name} ${type}`).sort())
  for (const [name, { help }] of declared) assert.ok(text.includes(`# HELP ${name} ${help}\n`), name)
})

test('names have base units, counters end in _total, and no label can hold an id', () => {
  const allowed = [
    'version', 'name', 'backend', 'config', 'state', 'kind', 'reason', 'topic', 'partition', 'stage', 'trigger',
    'task', 'window', 'figure', 'output', 'result', 'age', 'verdict', 'challenger', 'cause',
  ] // biome-ignore format: a list
  for (const [name, { type, labels, help }] of declared) {
    assert.match(name, /^millrace_[a-z_]+$/)
    assert.equal(name.endsWith('_total'), type === 'counter', name)
    assert.doesNotMatch(name, /_(ms|milliseconds|minutes|kb|mb|percent)(_|$)/)
    assert.match(help, /^[A-Z1].*\.$/s)
    assert.deepEqual(
      labels.filter(label => !allowed.includes(label)),
      [],
      name,
    )
  }
})

test('a histogram is cumulative and has sum and count', async () => {
  const metrics = new Metrics()
  const tally = metrics.tally('millrace_freshness_seconds', { stage: 'joined' })
  for (const age of [0.01, 0.02, 59, 60, 1e9]) tally.add(age)
  const series = parseMetrics(await metrics.text())
  const at = (le: string) => series.get(`millrace_freshness_seconds_bucket{stage="joined",le="${le}"}`)
  assert.deepEqual([at('0.01'), at('0.025'), at('30'), at('60'), at('2592000'), at('+Inf')], [1, 2, 2, 4, 4, 5])
  assert.equal(series.get('millrace_freshness_seconds_count{stage="joined"}'), 5)
  assert.equal(series.get('millrace_freshness_seconds_sum{stage="joined"}'), 1e9 + 119.03)
})

test('what a checkpoint brought back is not counted, what comes after it is', async () => {
  const metrics = new Metrics()
  let drops = 900
  const read = () => metrics.advance('millrace_drops_total', drops, { reason: 'late' })
  metrics.passOver(read)
  metrics.onScrape(read)
  const shown = async () => parseMetrics(await metrics.text()).get('millrace_drops_total{reason="late"}')
  assert.equal(await shown(), 0)
  drops = 907
  assert.equal(await shown(), 7)
  assert.equal(await shown(), 7)
})

test('a gauge that nobody has set is not there, rather than 0', async () => {
  const metrics = new Metrics()
  assert.equal(parseMetrics(await metrics.text()).has('millrace_registry_reachable'), false)
  metrics.set('millrace_registry_reachable', 0)
  assert.equal(parseMetrics(await metrics.text()).get('millrace_registry_reachable'), 0)
})

test('promtool has nothing to say against any of it', { skip: promtoolSkip }, async () => {
  const metrics = new Metrics()
  metrics.watchProcess()
  metrics.set('millrace_lag_records', 3, { topic: 'a "quoted"\\name', partition: '0' })
  metrics.tally('millrace_freshness_seconds', { stage: 'joined' }).add(1)
  assertPromtool(await metrics.text())
})

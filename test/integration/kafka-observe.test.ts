/** Health and metrics with topics at both ends: real instances of the program, a real broker and a real registry. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { configSchema } from '../../src/config/schema.js'
import { planTopics } from '../../src/config/topic-plan.js'
import { packageRoot } from '../../src/std/package-root.js'
import { type Broker, kafkaSkip, type Registry, startBroker, startRegistry, until } from '../helpers/kafka.js'
import { messageOf, producerTo } from '../helpers/kafka-source.js'
import { assertPromtool, Observed, promtoolSkip, total } from '../helpers/metrics.js'
import { type Running, start } from '../helpers/process.js'
import { Workspace } from '../helpers/workspace.js'

const TOPIC = 'observed.ratings'

let broker: Broker
let registry: Registry
const workspace = new Workspace('')
let sent = 0
const running: Running[] = []

before(async () => {
  if (kafkaSkip !== false) return
  broker = await startBroker()
  registry = await startRegistry({ storage: 'disk' })
  const config = {
    name: 'observed',
    tasks: [{ name: 'stars', head: 'regression', label: { event: 'rating' }, range: [1, 5] }],
    features: { slots: [{ name: 'user', from: 'user' }, { name: 'item', from: 'item' }] }, // biome-ignore format: short
    model: { hidden: [8], dim: 4, tower: 4 },
    kafka: { brokers: broker.brokers, registry: { url: registry.url } },
    source: {
      kafka: {
        topics: [TOPIC],
        framing: 'bare',
        schema: join(packageRoot(), 'schemas/rating.avsc'),
        sessionTimeout: '6s',
        idleTimeout: '200ms',
      },
    },
    outputs: { path: 'out', metricsEvery: 100, kafka: {} },
    checkpoint: { path: 'checkpoints' },
    observe: { port: 0 },
  }
  await broker.createTopic(TOPIC, { partitions: 2 })
  for (const { topic, partitions, settings } of planTopics(configSchema.parse(config)))
    await broker.createTopic(topic, { partitions: partitions === 'as-input' ? 2 : partitions, config: settings })
  workspace.configure(config)
})
after(async () => {
  for (const { child } of running) child.kill('SIGKILL')
  await broker?.stop()
  await registry?.stop()
})

function run(): Running {
  const instance = start(['run', workspace.path('millrace.yaml'), '--json'])
  running.push(instance)
  return instance
}

/** Ratings of this moment, to both partitions in turn. */
async function rate(count: number, odd: { value: Buffer }[] = []): Promise<void> {
  const producer = await producerTo(broker.brokers)
  const ratings = Array.from({ length: count }, (_, index) => {
    const written = { eventId: `e${sent++}`, eventTime: Date.now() }
    return messageOf(written, index % 2)
  })
  await producer.send({ topic: TOPIC, messages: [...ratings, ...odd.map(one => ({ ...one, partition: 0 }))] })
  await producer.disconnect()
}

const partition = (number: number) => `{topic="${TOPIC}",partition="${number}"}`
const signalBroker = (signal: 'SIGSTOP' | 'SIGCONT') =>
  process.kill(Number(readFileSync(join(broker.dir, 'node0', 'pid'), 'utf8')), signal)

/** What is answered when it says that it stops; rejects when it has ended before. */
async function stopping(instance: Observed) {
  for (;;) {
    const [ready, live] = await Promise.all([instance.ask('/readyz'), instance.ask('/livez')])
    if (/^\[-\]state: stopping: /m.test(ready.text)) return { ready, live }
    await pause(10)
  }
}

test('an instance is seen from its start to its end, and the one that follows it', {
  skip: kafkaSkip || promtoolSkip,
}, async t => {
  const first = run()
  const one = await Observed.of(first)
  const learns = await one.says('/readyz?verbose', /^\[\+\]state: learning:/m)
  assert.equal(learns.status, 200, learns.text)

  await t.test('lag falls to 0 when all is published; freshness, transactions and rejects are counted', async () => {
    await rate(300, [{ value: Buffer.from([1, 2, 3]) }])
    const series = await one.until('all is published', now =>
      [0, 1].every(number => now.get(`millrace_uncommitted_lag_records${partition(number)}`) === 0) &&
      now.get('millrace_outputs_total{output="predictions"}') === 300,
    ) // biome-ignore format: as it is read
    for (const number of [0, 1]) assert.equal(series.get(`millrace_lag_records${partition(number)}`), 0)
    assert.equal(series.get('millrace_records_total{kind="rating"}'), 300)
    assert.equal(series.get('millrace_rejects_total{reason="undecodable"}'), 1)
    assert.equal(series.get('millrace_outputs_total{output="deadLetters"}'), 1)
    for (const stage of ['joined', 'trained', 'published']) {
      assert.equal(series.get(`millrace_freshness_seconds_count{stage="${stage}"}`), 300, stage)
      const young = total(series, 'millrace_freshness_seconds_bucket', `stage="${stage}"`, 'le="300"')
      assert.equal(young, 300, `${stage}: none is older than the test`)
    }
    const mean = (stage: string) => (series.get(`millrace_freshness_seconds_sum{stage="${stage}"}`) ?? 0) / 300
    // A prediction can be visible before its example is learned.
    assert.ok(0 < mean('joined') && mean('joined') <= mean('trained') && 0 < mean('published'))
    assert.ok((series.get('millrace_transactions_total{result="committed"}') ?? 0) >= 1)
    // A request that a slow broker does not answer in time is made again, and what was begun is aborted.
    const aborted = total(series, 'millrace_transactions_total', 'aborted')
    assert.ok(aborted <= total(series, 'millrace_kafka_retries_total'), `${aborted} were aborted without a fault`)
    assert.ok((series.get('millrace_commit_duration_seconds_count') ?? 0) >= 1)
    assert.ok((series.get('millrace_steps_total') ?? 0) >= 1)
    assert.ok(series.has('millrace_task_weight{task="stars"}'))
    assert.equal(series.get('millrace_registry_reachable'), 1)
    t.diagnostic(`published after ${mean('published').toFixed(2)} s in the mean`)
    assertPromtool((await one.ask('/metrics')).text)
  })

  const second = run()
  const other = await Observed.of(second)
  await t.test('whoever stands by is ready, and says so; the join is counted', async () => {
    const before = (await one.metrics()).get('millrace_rebalances_total') ?? 0
    assert.ok(before >= 1)
    const standby = await other.says('/readyz?verbose', /^\[\+\]state: standby: another instance learns/m)
    assert.equal(standby.status, 200, standby.text)
    assert.equal((await other.metrics()).get('millrace_state{state="standby"}'), 1)
    await one.until('the rebalance is counted', now => (now.get('millrace_rebalances_total') ?? 0) >= 1)
    await one.says('/readyz', /^ok\n$/)
  })

  await t.test('an outage of the registry shows, though nothing is asked of it, and learning goes on', async () => {
    await registry.kill()
    const outage = await one.says('/readyz?verbose', /^\[!\]registry: no answer for \d+ s: known schemas are used/m)
    assert.equal(outage.status, 200)
    assert.equal((await one.metrics()).get('millrace_registry_reachable'), 0)
    await rate(100)
    await one.until(
      'they are read, and what was learned before them is judged',
      now =>
        now.get('millrace_records_total{kind="rating"}') === 400 &&
        now.has('millrace_task_figure{task="stars",window="total",figure="rmse"}'),
    )
    await registry.restart()
    await one.says('/readyz?verbose', /^\[\+\]registry: .* answers$/m)
    assert.equal((await one.metrics()).get('millrace_registry_reachable'), 1)
  })

  await t.test(
    'SIGTERM: not ready, then everything is committed and it ends with 0; the other goes on from there',
    async () => {
      await one.until('nothing is left', now => total(now, 'millrace_uncommitted_lag_records') === 0)
      // Leaving takes a broker: so that it can be looked at.
      signalBroker('SIGSTOP')
      try {
        // Both at once and from before on: how long it stops is up to the machine.
        const watching = stopping(one)
        first.child.kill('SIGTERM')
        const { ready, live } = await watching
        assert.equal(ready.status, 503)
        assert.equal(live.status, 200)
      } finally {
        signalBroker('SIGCONT')
      }
      const { code, stderr } = await first.finished
      assert.equal(code, 0, stderr)
      assert.match(workspace.checkpoints().at(-1) ?? '', /^checkpoint-0+401$/)

      await other.says('/readyz?verbose', /^\[\+\]state: learning:/m)
      await rate(6)
      const series = await other.until(
        'it publishes',
        now => now.get('millrace_outputs_total{output="predictions"}') === 6,
      )
      assert.equal(total(series, 'millrace_records_total'), 6, 'what the first has learned is not counted again')
      assert.equal(total(series, 'millrace_rejects_total'), 0)
    },
  )

  await t.test('a broker that does not answer makes it not ready, but lets it live', async () => {
    signalBroker('SIGSTOP')
    try {
      const silent = await other.says('/readyz', /^\[-\]broker: answered \d+\.\d s ago$/m)
      assert.equal(silent.status, 503)
      assert.equal((await other.ask('/livez')).status, 200)
    } finally {
      signalBroker('SIGCONT')
    }
    await until('it is ready again', async () => (await other.ask('/readyz')).status === 200)
  })

  assert.equal((await second.kill('SIGTERM')).code, 0)
  for (const { stderr } of [first, second]) {
    assert.doesNotMatch(stderr, /"e\d+"|key e\d+/, 'no line of the log holds an id')
  }
})

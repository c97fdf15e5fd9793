/** Health and metrics of a live run on files, as an orchestrator and Prometheus see them. */
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { createLogWriter } from '../../src/sink/log-writer.js'
import { assertPromtool, Observed, promtoolSkip, total } from '../helpers/metrics.js'
import { millrace, start } from '../helpers/process.js'
import { smallConfig, Workspace, writePlainLog } from '../helpers/workspace.js'

const LIVE = { ...smallConfig, batch: { maxExamples: 64, tick: '1h', linger: '50ms' } }
/** Items, and 5 records a page but 7 on every fifth. */
const RECORDS = 20 + 60 * 5 + 12 * 2

function liveRun(): Workspace {
  const workspace = new Workspace(LIVE)
  const writer = createLogWriter({ path: workspace.path('log'), partitions: 1, blockBytes: 1 })
  writePlainLog(writer, 60)
  writer.close()
  return workspace
}

const follow = (workspace: Workspace, ...settings: string[]) =>
  start(['run', workspace.path('millrace.yaml'), '--follow', '--json', ...settings])

test('a live run counts what it reads, learns and publishes, and says so in Prometheus’ format', {
  skip: promtoolSkip,
}, async () => {
  const workspace = liveRun()
  const run = follow(workspace, '--set', 'observe.port=0')
  const observed = await Observed.of(run)
  const series = await observed.until('all is read and published', series => {
    const predictions = series.get('millrace_outputs_total{output="predictions"}') ?? 0
    return total(series, 'millrace_records_total') === RECORDS && predictions > 0
  })
  assert.equal(series.get('millrace_records_total{kind="impression"}'), 240)
  assert.equal(series.get('millrace_records_total{kind="click"}'), 60)
  assert.equal(series.get('millrace_records_total{kind="item"}'), 20)
  assert.equal(series.get('millrace_rejects_total{reason="undecodable"}'), 0)
  assert.equal(series.get('millrace_state{state="learning"}'), 1)
  assert.equal(total(series, 'millrace_state'), 1)
  // Its events are years old: none is in a bucket with an end.
  const stage = 'stage="trained"'
  const trained = total(series, 'millrace_freshness_seconds_count', stage)
  assert.equal(trained, series.get('millrace_examples_total'))
  assert.equal(total(series, 'millrace_freshness_seconds_bucket', stage, 'le="+Inf"'), trained)
  assert.equal(total(series, 'millrace_freshness_seconds_bucket', stage, 'le="2592000"'), 0)
  assert.equal(series.get('millrace_step_examples_count'), series.get('millrace_steps_total'))
  assert.ok((series.get('process_resident_memory_bytes') ?? 0) > 0)
  assert.ok(!series.has('millrace_registry_reachable'), 'there is no registry')

  const { text } = await observed.ask('/metrics')
  assertPromtool(text)
  const ids = [...text.matchAll(/"(u\d+|i\d+|r\d+-\d+|profile\d+)"/g)]
  assert.deepEqual(ids, [], 'no label is an id')

  const ready = await observed.ask('/readyz?verbose')
  assert.equal(ready.status, 200)
  assert.match(
    ready.text,
    /^\[\+\]state: learning: .*\n\[\+\]commit: .*\n\[\+\]disk: \d+ MB free.*\nreadyz check passed\n$/,
  )
  const live = await observed.ask('/livez?verbose')
  assert.match(live.text, /^\[\+\]event-loop: turns\n\[\+\]worker: .*\nlivez check passed\n$/)

  const { code, stdout } = await run.kill('SIGTERM')
  assert.equal(code, 0)
  assert.equal((JSON.parse(stdout) as { records: number }).records, RECORDS)
  await assert.rejects(observed.ask('/livez'))
  assert.match(workspace.checkpoints().at(-1) ?? '', new RegExp(`^checkpoint-0+${RECORDS}$`))

  // Goes on from its checkpoint: what the first process counted, this one does not.
  const again = follow(workspace, '--set', 'observe.port=0')
  const resumed = await Observed.of(again)
  const state = await resumed.until('it learns', series => series.get('millrace_state{state="learning"}') === 1)
  assert.equal(total(state, 'millrace_records_total'), 0)
  assert.equal((await again.kill('SIGTERM')).code, 0)
})

test('two live runs on one machine do not clash, unless both were told the same port', async () => {
  const [first, second] = [follow(liveRun()), follow(liveRun())]
  const urls = [(await Observed.of(first)).url, (await Observed.of(second)).url]
  assert.notEqual(urls[0], urls[1])
  await first.kill('SIGTERM')
  await second.kill('SIGTERM')

  const occupant = createServer().listen(0, '127.0.0.1')
  await new Promise(resolve => occupant.once('listening', resolve))
  const { port } = occupant.address() as AddressInfo
  const { code, stderr } = await follow(liveRun(), '--set', `observe.port=${port}`).finished
  occupant.close()
  assert.equal(code, 10)
  assert.match(stderr, new RegExp(`PORT_REFUSED: 127.0.0.1:${port}: .*EADDRINUSE`))
})

test('a finite replay has no port unless it is given one', async () => {
  const workspace = liveRun()
  const { code, stderr } = await millrace(['replay', workspace.path('millrace.yaml'), '--json'])
  assert.equal(code, 0)
  assert.doesNotMatch(stderr, /health and metrics/)
})

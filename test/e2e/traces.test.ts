/** The example that makes spans of the diagnostics channels, in a real run and a real tracer. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { TRACED } from '../../src/observe/trace.js'
import { simulateShop } from '../../src/simulate/simulate.js'
import { createLogWriter } from '../../src/sink/log-writer.js'
import { packageRoot } from '../../src/std/package-root.js'
import { CLI, Running } from '../helpers/process.js'
import type { RecordedSpan } from '../helpers/span-recorder.js'
import { smallConfig, Workspace } from '../helpers/workspace.js'

const SHOP = { seed: 4, events: 3_000, users: 300, items: 150, days: 10, partitions: 1, bots: 0, malformed: 0 }

test('steps, commits and checkpoints are spans, and a run that is traced learns the same', async () => {
  const [traced, plain] = [new Workspace({ ...smallConfig }), new Workspace({ ...smallConfig })]
  await simulateShop(SHOP, createLogWriter({ path: plain.path('log'), partitions: SHOP.partitions }))
  traced.copyLog(plain)
  const recorder = fileURLToPath(new URL('../helpers/span-recorder.js', import.meta.url))
  const flags = ['--import', recorder, '--import', join(packageRoot(), 'examples/opentelemetry.mjs')]
  const run = (workspace: Workspace, before: string[]) =>
    new Running(process.execPath, [...before, CLI, 'replay', workspace.path('millrace.yaml')], {
      env: { SPANS: traced.path('spans') },
    }).finished
  for (const { code, stderr } of [await run(traced, flags), await run(plain, [])]) assert.equal(code, 0, stderr)
  const spans = readFileSync(traced.path('spans'), 'utf8')
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as RecordedSpan)
  const of = (name: string) => spans.filter(span => span.name === `millrace.${name}`)
  assert.deepEqual(
    of('step').map(({ attributes }) => attributes.step),
    of('step').map((_, index) => index + 1),
  )
  const predictions = of('commit').reduce((sum, { attributes }) => sum + Number(attributes.predictions), 0)
  assert.equal(predictions, (await traced.records('predictions')).length)
  assert.ok(of('checkpoint').some(({ attributes }) => Number(attributes.bytes) > 0))
  for (const { startTime, endTime } of spans) assert.ok(startTime > 1e12 && endTime >= startTime)
  assert.deepEqual(traced.final(), plain.final())
})

test('docs/operations.md lists the channels', () => {
  const page = readFileSync(join(packageRoot(), 'docs/operations.md'), 'utf8')
  const listed = [...page.matchAll(/^\| `millrace\.([a-z]+)` \| (.+) \|$/gm)].map(([, name, text]) => [name, text])
  assert.deepEqual(listed, Object.entries(TRACED))
  const example = readFileSync(join(packageRoot(), 'examples/opentelemetry.mjs'), 'utf8')
  assert.deepEqual(
    [...example.matchAll(/'millrace\.([a-z]+)'/g)].map(([, name]) => name),
    Object.keys(TRACED),
  )
})

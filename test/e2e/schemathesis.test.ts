/** A real server, asked by schemathesis what its own description allows and what it does not. */
import assert from 'node:assert/strict'
import { existsSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { createLogWriter } from '../../src/sink/log-writer.js'
import { millrace, Running, start } from '../helpers/process.js'
import { smallConfig, Workspace, writePlainLog } from '../helpers/workspace.js'

const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache')
const schemathesis = join(cache, 'millrace', 'schemathesis-4.32.5', 'bin', 'schemathesis')
const skip = existsSync(schemathesis) ? false : 'schemathesis is not provisioned (scripts/provision-schemathesis)'

/** The same cases in every run; without a limit of time, which would make the machine decide how many. */
const OPTIONS = [
  '--seed',
  '1',
  '--max-examples',
  '10',
  '--phases',
  'examples,coverage,fuzzing',
  '--no-color',
  '--warnings',
  'off',
]
/** What is refused for its size alone is refused too. */
const REFUSALS =
  '[checks]\nnegative_data_rejection.expected-statuses = ["400", "404", "405", "406", "413", "414", "415"]\n'
const CHECKS = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
  'negative_data_rejection',
]

async function ask(workspace: Workspace, url: string, ...which: string[]): Promise<void> {
  writeFileSync(workspace.path('schemathesis.toml'), REFUSALS)
  const args = ['run', `${url}/openapi.json`, ...which, '--checks', CHECKS.join(','), ...OPTIONS]
  const asked = await new Running(schemathesis, args, { cwd: workspace.path('.') }).finished
  assert.equal(asked.code, 0, asked.stdout + asked.stderr)
  assert.match(asked.stdout, /[1-9]\d* generated/)
}

test('whatever is asked over HTTP, nothing fails inside and every answer fits its schema', { skip }, async () => {
  const workspace = new Workspace(smallConfig)
  const file = workspace.path('millrace.yaml')
  const log = createLogWriter({ path: workspace.path('log'), partitions: 1 })
  writePlainLog(log, 200)
  log.close()
  const { code, stderr } = await millrace(['replay', file])
  assert.equal(code, 0, stderr)

  const server = start(['serve', file, '--set', 'http.port=0'])
  const url = () => /"url":"(http:[^"]+)"/.exec(server.stderr)?.[1]
  await server.until(() => url() !== undefined)
  const ready = /"readyz":"([^"]+)"/.exec(server.stderr)?.[1] ?? ''
  while (!(await fetch(ready)).ok) await pause(20)

  // An answer without an end is no case for it: the stream of events has tests of its own.
  await ask(workspace, url() ?? '', '--exclude-path', '/v1/stream')
  const stopped = await server.kill('SIGTERM')
  assert.equal(stopped.code, 0, stopped.stderr)
})

test('whatever is posted to a run that takes events, nothing fails inside, and it goes on learning', {
  skip,
}, async () => {
  const workspace = new Workspace({ ...smallConfig, http: { ingest: true, port: 0 } })
  const run = start(['run', workspace.path('millrace.yaml'), '--follow', '--json', '--set', 'observe.port=0'])
  const url = () => /"url":"(http:[^"]+)","msg":"the dashboard"/.exec(run.stderr)?.[1] ?? ''
  await run.until(() => url() !== '' && run.stderr.includes('events are taken over HTTP'))

  const names = ['POST /v1/events', 'DELETE /v1/users/{user}']
  await ask(workspace, url(), ...names.flatMap(name => ['--include-name', name]))
  const status = async () =>
    (
      (await (await fetch(`${url()}/v1/status`)).json()) as {
        now: { records: number; rejects: Record<string, number> }
      }
    ).now
  while ((await status()).records === 0) await pause(20)
  // What was accepted can be read; only its time may be far ahead of the other events.
  const { 'future-time': ahead = 0, ...rejects } = (await status()).rejects
  assert.deepEqual(rejects, {})
  assert.ok(ahead < (await status()).records)
  const stopped = await run.kill('SIGTERM')
  assert.equal(stopped.code, 0, stopped.stderr)
})

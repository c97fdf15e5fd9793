/** The dashboard of a real run: it moves with the log, costs the model nothing, and goes with the process. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { simulateShop } from '../../src/simulate/simulate.js'
import { createLogWriter } from '../../src/sink/log-writer.js'
import { browserSkip, launch, openPage, until } from '../helpers/browser.js'
import { CLI, type Running, start } from '../helpers/process.js'
import { smallConfig, Workspace, writePlainLog } from '../helpers/workspace.js'

const LIVE = {
  ...smallConfig,
  outputs: { ...smallConfig.outputs, deltaEvery: '1h' },
  batch: { maxExamples: 64, tick: '1h', linger: '50ms' },
}
const SHOP = { seed: 5, events: 12_000, users: 300, items: 150, days: 10, partitions: 2, bots: 0.01, malformed: 0.005 }

interface Status {
  now: { state: string; records: number; events: Record<string, number>; step: number }
  about: { backend: string | null }
  windows: { records: number; tasks: { task: string }[]; gates: number[][] | null }[]
  calibration: { task: string }[]
  snapshots: { version: number }[]
}

async function dashboardOf(run: Running): Promise<string> {
  const said = () => /"url":"(http:[^"]+)","msg":"the dashboard"/.exec(run.stderr)?.[1]
  await run.until(() => said() !== undefined)
  return said() ?? ''
}

const statusOf = async (url: string) => (await (await fetch(`${url}/v1/status`)).json()) as Status

/** The first question makes it read what is published; until it has, the answer is 503. */
async function modelStatus(url: string): Promise<number> {
  for (;;) {
    const { status } = await fetch(`${url}/v1/model`)
    if (status !== 503) return status
    await pause(20)
  }
}

async function simulated(): Promise<Workspace> {
  const workspace = new Workspace()
  const log = createLogWriter({ path: workspace.path('log'), partitions: SHOP.partitions })
  await simulateShop(SHOP, log)
  log.close()
  return workspace
}

/** Learns to the end. */
const learn = (workspace: Workspace, ...settings: string[]) =>
  start(['run', workspace.path('millrace.yaml'), '--json', '--set', ...settings])

test('a model that is looked at is byte for byte the model that is not', { timeout: 600_000 }, async () => {
  const [alone, watched] = [await simulated(), await simulated()]
  assert.equal((await learn(alone, 'http.enabled=false').finished).code, 0)

  const run = learn(watched, 'http.port=0')
  const url = await dashboardOf(run)
  let changes = 0
  let last: Status | undefined
  const stream = await fetch(`${url}/v1/stream`)
  const reading = (async () => {
    for await (const part of stream.body ?? []) changes += Buffer.from(part).toString().split('\nevent: ').length - 1
  })().catch(() => {})
  while (!run.ended) {
    last = (await statusOf(url).catch(() => undefined)) ?? last
    await pause(20)
  }
  await reading
  assert.equal((await run.finished).code, 0)
  assert.ok(changes > 5, `${changes} changes were told`)
  assert.ok((last?.windows.length ?? 0) > 1)
  assert.deepEqual(watched.final(), alone.final())
})

/** A live run that takes any free ports. */
const follow = (workspace: Workspace) =>
  start(['run', workspace.path('millrace.yaml'), '--follow', '--json', '--set', 'http.port=0', 'observe.port=0'])

test('the page of a live run moves with the log, and says so when the process is gone', {
  skip: browserSkip,
  timeout: 600_000,
}, async () => {
  const workspace = new Workspace(LIVE)
  const writer = createLogWriter({ path: workspace.path('log'), partitions: 1, blockBytes: 1 })
  writePlainLog(writer, 600)
  const run = follow(workspace)
  const browser = await launch()
  after(() => browser.close())
  after(() => run.kill('SIGKILL'))
  const url = await dashboardOf(run)
  const { page, complaints } = await openPage(browser, url)
  const shows = (text: string) => `document.getElementById('tiles').textContent.includes(${JSON.stringify(text)})`
  // 20 items, 5 records a page and 2 more on every fifth.
  await until(page, shows('3,260'))
  writePlainLog(writer, 100, 600)
  writer.close()
  await until(page, shows('3,800'))
  await until(page, 'document.getElementById("state-name").textContent === "Learning"')
  assert.deepEqual(complaints, [])

  const status = await statusOf(url)
  assert.equal(status.now.events.impression, 2800)
  assert.match(status.about.backend ?? '', /onnx|tfjs/)
  assert.deepEqual([...new Set(status.windows.flatMap(({ tasks }) => tasks.map(({ task }) => task)))].slice(0, 2), [
    'click',
    'rating',
  ])
  assert.ok(status.snapshots.length > 0)
  // By task, what it takes of the experts is all that there is.
  const gates = status.windows.flatMap(window => window.gates ?? [])
  assert.ok(gates.length >= status.windows.length)
  for (const shares of gates) {
    const sum = shares.reduce((total, share) => total + share, 0)
    assert.ok(shares.length > 1 && Math.abs(sum - 1) < 0.01, `${shares}`)
  }

  // The playground follows what this run has published.
  assert.equal(await modelStatus(url), 200)
  await page.getByRole('link', { name: 'Playground' }).click()
  await until(page, 'document.querySelectorAll(".ranked").length > 5')
  await page.locator('.ranked').first().click()
  await until(page, 'document.querySelector(".diverging") !== null && document.querySelector(".gates") !== null')
  assert.deepEqual(complaints, [])

  assert.equal((await run.kill('SIGTERM')).code, 0)
  await until(page, '!document.getElementById("notice").hidden')
})

test('a run goes on where it stopped, and so do the curves', { timeout: 600_000 }, async () => {
  const workspace = await simulated()
  assert.equal((await learn(workspace, 'http.port=0').finished).code, 0)
  const again = follow(workspace)
  const url = await dashboardOf(again)
  let status = await statusOf(url)
  while (status.now.state !== 'learning') {
    await pause(20)
    status = await statusOf(url)
  }
  assert.ok(status.now.records > 11_000)
  assert.ok(status.windows.length > 4)
  assert.equal((await again.kill('SIGTERM')).code, 0)
})

test('a dashboard port that is taken is an error if it was asked for', { timeout: 600_000 }, async () => {
  const occupant = createServer().listen(0, '127.0.0.1')
  await new Promise(resolve => occupant.once('listening', resolve))
  const { port } = occupant.address() as AddressInfo
  const { code, stderr } = await learn(await simulated(), `http.port=${port}`).finished
  occupant.close()
  assert.equal(code, 10)
  assert.match(stderr, new RegExp(`PORT_REFUSED: 127.0.0.1:${port}: .*EADDRINUSE`))
})

/** A terminal of its own, as `script` makes one; without CI in its environment. */
const scriptSkip = spawnSync('script', ['--version']).status === 0 ? false : 'script (util-linux) is not installed'

test('from a terminal the page stays when the log has ended, until Ctrl-C', {
  skip: scriptSkip,
  timeout: 600_000,
}, async () => {
  const workspace = await simulated()
  const line = ['exec', process.execPath, CLI, 'run', workspace.path('millrace.yaml'), '--set', 'http.port=0'].join(' ')
  // exec: a shell that waits would answer the same Ctrl-C, with its own exit code.
  const terminal = spawn('script', ['-qefc', line, '/dev/null'], { env: { ...process.env, CI: '' } })
  after(() => terminal.kill('SIGKILL'))
  const ended = new Promise(resolve => terminal.once('exit', resolve))
  let said = ''
  terminal.stdout.setEncoding('utf8').on('data', text => {
    said += text
  })
  while (!said.includes('until Ctrl-C')) await pause(20)
  const url = /Dashboard: (http:[\d:./]+)/.exec(said)?.[1] ?? ''
  const { now, windows } = await statusOf(url)
  assert.equal(now.state, 'finished')
  assert.ok(windows.length > 4)
  assert.equal(await modelStatus(url), 200)
  terminal.stdin.write('\x03')
  assert.equal(await ended, 0)
})

test('the level of the log can be changed while it runs', { timeout: 600_000 }, async () => {
  const config = (await simulated()).path('millrace.yaml')
  const run = start(['run', config, '--follow', '--json', '--set', 'http.port=0', 'observe.port=0'])
  after(() => run.kill('SIGKILL'))
  const url = await dashboardOf(run)
  const level = (body?: string) =>
    fetch(`${url}/v1/log-level`, {
      ...(body === undefined ? {} : { method: 'PUT', body, headers: { 'content-type': 'application/json' } }),
    })
  assert.deepEqual(await (await level()).json(), { level: 'info' })
  assert.equal((await level('{"level":"loud"}')).status, 400)
  assert.deepEqual(await (await level('{"level":"debug"}')).json(), { level: 'debug' })
  await statusOf(url)
  await run.until(() => run.stderr.includes('"route":"GET /v1/status"'))
  assert.equal((await run.kill('SIGTERM')).code, 0)
})

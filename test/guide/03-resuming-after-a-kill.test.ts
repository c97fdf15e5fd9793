import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { replay, simulateLog } from '../../src/index.js'
import { packageRoot } from '../../src/std/package-root.js'

// # 3. Resuming after a kill
//
// The model is a deterministic function of the log. So it does not matter whether a run was interrupted: kill the process at
// any point, start it again, and the predictions, the metrics and the model are byte for byte those of a run that was never
// killed.
//
// What makes this work is the **checkpoint**: offsets, waiting impressions, counters, tables, weights, optimiser, metrics and
// the ends of all outputs are one unit, written to a new folder that is renamed when it is whole. A run that starts again
// loads the newest whole checkpoint, cuts the outputs off where they were then, and reads on.

const folder = mkdtempSync(join(tmpdir(), 'millrace-guide-'))
after(() => rmSync(folder, { recursive: true }))

writeFileSync(
  join(folder, 'shop.yaml'),
  `
source: { log: log }
tasks:
  - { name: click, label: { event: click, window: 30m } }
features: { slots: [{ name: user, from: user }, { name: item, from: item }] }
batch: { tick: 10m }
checkpoint: { path: checkpoints, everyEvents: 2000 }
`,
)

test('the same seed makes the same log', async () => {
  const shop = { seed: 3, events: 20_000, users: 300, items: 100, days: 5, partitions: 2, bots: 0.01, malformed: 0.001 }
  await simulateLog(shop, join(folder, 'log'), () => {})
})

// First a run that nobody disturbs.

test('one run from the first record to the last', async () => {
  const report = await replay(join(folder, 'shop.yaml'), { write: true, set: ['outputs.path=undisturbed'] })
  assert.ok(report.records > 19_000)
  rmSync(join(folder, 'checkpoints'), { recursive: true })
})

// Then the same as a process of its own, killed with SIGKILL as soon as it has written two checkpoints, and started again:
//
// ```
// millrace replay shop.yaml --set outputs.path=disturbed
// kill -9 ...
// millrace replay shop.yaml --set outputs.path=disturbed --resume
// ```

function millrace(...flags: string[]): ChildProcess {
  const cli = join(packageRoot(), 'dist/cli.js')
  const args = [cli, 'replay', join(folder, 'shop.yaml'), '--set', 'outputs.path=disturbed', 'log.level=warn', ...flags]
  return spawn(process.execPath, args, { stdio: 'ignore' })
}

const checkpoints = () => (existsSync(join(folder, 'checkpoints')) ? readdirSync(join(folder, 'checkpoints')) : [])

test('a run that was killed goes on where its last checkpoint stands', async () => {
  const killed = millrace()
  const ended = once(killed, 'exit')
  while (checkpoints().length < 2 && killed.exitCode === null) await pause(5)
  killed.kill('SIGKILL')
  assert.deepEqual(await ended, [null, 'SIGKILL'])

  const resumed = millrace('--resume')
  assert.deepEqual(await once(resumed, 'exit'), [0, null])
})

// Both runs have written the same bytes.

test('nobody can tell from the outputs that it was killed', () => {
  for (const output of ['predictions', 'metrics', 'snapshots', 'journal', 'dead-letters']) {
    const [undisturbed, disturbed] = ['undisturbed', 'disturbed'].map(run => {
      const path = join(folder, run, output)
      return readdirSync(path).map(name => [name, readFileSync(join(path, name))] as const)
    })
    assert.deepEqual(disturbed, undisturbed, output)
  }
})

// `npm run test:crash` does this at twenty random points of a longer log. Bytes are equal for the same log, configuration,
// backend and number of threads; another backend rounds differently.

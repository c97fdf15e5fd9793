/** The package as it is published, installed into an empty folder: program, library, types. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { publint } from 'publint'
import { packageRoot } from '../../src/std/package-root.js'

const execute = promisify(execFile)
const root = packageRoot()
const bin = (name: string) => join(root, 'node_modules/.bin', name)
const folder = mkdtempSync(join(tmpdir(), 'millrace-package-'))
const installed = (path: string) => join(folder, 'node_modules/millrace', path)
const run = async (file: string, ...args: string[]) => (await execute(file, args, { cwd: folder })).stdout
const SETTINGS = [
  'source.log=log',
  'source.simulate.events=3000',
  'checkpoint.path=checkpoints',
  'outputs.path=out',
  'evaluate.report=report.html',
]

before(async () => {
  // What is packed was built by whoever runs the tests; a build here would take it from under the others.
  const packing = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder]
  const { stdout } = await execute('npm', packing, { cwd: root })
  const [{ filename }] = JSON.parse(stdout) as [{ filename: string }]
  writeFileSync(join(folder, 'package.json'), '{"type":"module","private":true}')
  await run('npm', 'install', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', filename)
})

after(() => rmSync(folder, { recursive: true, force: true }))

test('the program runs, from its help to a report', async () => {
  assert.match(await run('npx', '--no-install', 'millrace', '--help'), /Usage: millrace/)
  const replay = ['--no-install', 'millrace', 'replay', installed('examples/shop.yaml'), '--json', '--set', ...SETTINGS]
  const { tasks } = JSON.parse(await run('npx', ...replay)) as { tasks: Record<string, { logLoss: number }> }
  assert.ok((tasks.click?.logLoss ?? 0) > 0)
})

test('programs import it, with types that hold under strict rules', async () => {
  const program = `import { follow, MillraceError, replay, summarise, type Follower, type RunReport } from 'millrace'
    export async function main(): Promise<number | undefined> {
      const report: RunReport = await replay('millrace.yaml')
      const follower: Follower = await follow('millrace.yaml')
      const { scores } = await follower.score({ user: 'u', items: ['a'] })
      if (scores.length !== 1) throw new MillraceError('INTERNAL', 'one item, one score')
      await follower.close()
      return summarise([report]).tasks.rating?.rmse
    }`
  writeFileSync(join(folder, 'program.ts'), program)
  const rules = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2023']
  const types = ['--types', 'node', '--typeRoots', join(root, 'node_modules/@types')]
  await run(bin('tsc'), ...rules, ...types, '--skipLibCheck', 'false', 'program.ts')
  const names = await run(
    process.execPath,
    '--input-type=module',
    '-e',
    `console.log(Object.keys(await import('millrace')).join())`,
  )
  assert.match(names, /\bfollow\b.*\breplay\b/)
})

test('publint has nothing to say against the package', async () => {
  const { messages } = await publint({ pkgDir: root, pack: false, strict: true })
  assert.deepEqual(messages, [])
})

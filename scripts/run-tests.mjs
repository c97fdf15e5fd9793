// Runs the compiled tests with node:test. No argument: everything but the crash test; a name: that folder or file only.
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'

const wanted = process.argv[2]
const all = readdirSync('.build/test', { recursive: true })
  .map(file => join('.build/test', String(file)))
  .filter(file => file.endsWith('.test.js'))
  .sort()
const files = wanted === undefined ? all : all.filter(file => file.includes(wanted))
if (files.length === 0) {
  console.error(`no test matches ${wanted}`)
  process.exit(1)
}
const { status } = spawnSync(process.execPath, ['--enable-source-maps', '--test', '--test-concurrency=2', ...files], {
  stdio: 'inherit',
})
process.exit(status ?? 1)

// Runs the compiled tests with node:test. No argument: everything but the crash tests and, without CI set, those that need
// a Kafka broker; a name: that folder or file only.
// A test that is skipped says why. With CI set, a reason that .ci/allowed-skips does not list is a failure: a test that
// silently stops running protects nothing.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const wanted = process.argv[2]
const all = readdirSync('.build/test', { recursive: true })
  .map(file => join('.build/test', String(file)))
  // The compiler leaves the output of a removed test behind.
  .filter(file => file.endsWith('.test.js') && existsSync(file.slice('.build/'.length).replace(/js$/, 'ts')))
  .sort()
// Minutes each: npm run test:crash, npm run test:kafka, the installed package. CI runs all but the first with the others.
const APART = process.env.CI ? /[/\\]crash[./\\-]/ : /[/\\](crash[./\\-]|integration[/\\](kafka|asyncapi|package))/
const files = all.filter(file => (wanted === undefined ? !APART.test(file) : file.includes(wanted)))
if (files.length === 0) {
  console.error(`no test matches ${wanted}`)
  process.exit(1)
}

const folder = mkdtempSync(join(tmpdir(), 'millrace-skips-'))
const skips = join(folder, 'skips')
const reporters = ['spec', 'stdout', new URL('./skip-reporter.mjs', import.meta.url).href, skips]
const flags = reporters.map((value, i) => `--test-reporter${i % 2 === 0 ? '' : '-destination'}=${value}`)
const { status } = spawnSync(
  process.execPath,
  ['--enable-source-maps', '--test', '--test-concurrency=2', ...flags, ...files],
  { stdio: 'inherit' },
)
const unexplained = process.env.CI ? unexplainedSkips() : []
rmSync(folder, { recursive: true, force: true })
for (const line of unexplained) console.error(`skipped without an allowed reason (.ci/allowed-skips): ${line}`)
process.exit(status === 0 && unexplained.length > 0 ? 1 : (status ?? 1))

function unexplainedSkips() {
  const lines = path => (existsSync(path) ? readFileSync(path, 'utf8').split('\n').filter(Boolean) : [])
  const allowed = lines('.ci/allowed-skips').filter(line => !line.startsWith('#'))
  return lines(skips).filter(line => !allowed.includes(line.split('\t')[0]))
}

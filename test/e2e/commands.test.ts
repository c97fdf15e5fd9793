/** The command line as scripts and newcomers meet it. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'
import { configSchema } from '../../src/config/schema.js'
import { createLogWriter } from '../../src/sink/log-writer.js'
import { packageRoot } from '../../src/std/package-root.js'
import { millrace } from '../helpers/process.js'
import { smallConfig, Workspace, writePlainLog } from '../helpers/workspace.js'

const EXAMPLES = join(packageRoot(), 'examples')
const COMMANDS = [
  'run',
  'replay',
  'evaluate',
  'import',
  'import movielens',
  'simulate',
  'snapshots',
  'config',
  'config lint',
  'config print',
  'config docs',
  'doctor',
]

async function succeeds(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await millrace(args)
  assert.equal(code, 0, stderr)
  return stdout
}

const json = async (...args: string[]) => JSON.parse(await succeeds(...args, '--json'))

test('every command explains itself, and nothing else is said', async () => {
  const { code, stdout, stderr } = await millrace(['--help'])
  assert.deepEqual({ code, stderr }, { code: 0, stderr: '' })
  for (const command of COMMANDS) {
    const [name = '', below] = command.split(' ')
    if (below === undefined) assert.match(stdout, new RegExp(`^ {2}${name} `, 'm'))
    const help = await succeeds(...command.split(' '), '--help')
    assert.ok(help.startsWith(`Usage: millrace ${command} `), help)
    // A sentence of what it does, and one line an option.
    assert.match(help, /\n\n[A-Z][^\n]+[\s\S]*\n\nOptions:\n/)
    assert.doesNotMatch(help, /undefined/)
  }
})

test('the version is that of the package; no command is a mistake that shows the help', async () => {
  const { version } = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8'))
  assert.equal(await succeeds('--version'), `${version}\n`)
  const { code, stdout, stderr } = await millrace([])
  assert.deepEqual({ code, stdout }, { code: 2, stdout: '' })
  assert.match(stderr, /^Usage: millrace/)
})

test('every example is valid, and what config print shows is a configuration of the same model', async () => {
  const workspace = new Workspace()
  const files = readdirSync(EXAMPLES).filter(name => name.endsWith('.yaml') && !name.endsWith('.import.yaml'))
  assert.ok(files.length >= 3)
  for (const name of files) {
    const file = join(EXAMPLES, name)
    assert.match(
      await succeeds('config', 'lint', file),
      new RegExp(`^${file}: valid \\(model configuration [0-9a-f]{16}\\)\n$`),
    )
    const { valid, hash } = await json('config', 'lint', file)
    assert.equal(valid, true)
    workspace.configure(await succeeds('config', 'print', file))
    assert.equal((await json('config', 'lint', workspace.path('millrace.yaml'))).hash, hash)
  }
})

test('config print follows --set, as YAML and as JSON alike', async () => {
  const file = join(EXAMPLES, 'shop.yaml')
  const set = ['--set', 'weights.method=gradnorm', 'batch.tick=5m']
  const fromYaml = parse(await succeeds('config', 'print', file, ...set))
  const fromJson = await json('config', 'print', file, ...set)
  assert.equal(fromYaml.weights.method, 'gradnorm')
  assert.deepEqual(configSchema.parse(fromYaml), configSchema.parse(fromJson))
})

test('config docs names every section', async () => {
  const docs = await succeeds('config', 'docs')
  for (const section of Object.keys(configSchema.shape)) assert.ok(docs.includes(`\`${section}`), section)
})

test('doctor names every backend, the one that is taken, and why', async () => {
  const { node, platform, backends } = await json('doctor')
  assert.equal(node, process.version)
  assert.ok(platform)
  assert.equal(backends.filter((backend: { chosen: boolean }) => backend.chosen).length, 1)
  const text = await succeeds('doctor')
  for (const { kind, available, chosen, detail } of backends) {
    const line = text.split('\n').find(line => line.includes(` ${kind} `))
    assert.ok(line?.includes(available ? 'works' : 'absent') && line.includes(detail), line)
    assert.equal(line?.includes('→'), chosen)
  }
})

test('run makes its log, learns it, says where to look, and has nothing to do the second time', async () => {
  const simulate = { events: 3000, users: 60, items: 40, days: 3, seed: 9 }
  const compare = [{ name: 'equal weights', set: { 'weights.method': 'manual' } }]
  const workspace = new Workspace({
    ...smallConfig,
    source: { log: 'log', simulate },
    evaluate: { report: 'report.html', compare },
  })
  const file = workspace.path('millrace.yaml')
  const table = await succeeds('run', file)
  for (const said of ['click', 'buy', 'rating', 'equal weights', 'report.html', 'Where to look next'])
    assert.ok(table.includes(said), said)
  const html = readFileSync(workspace.path('report.html'), 'utf8')
  assert.ok(html.includes('equal weights') && html.endsWith('</html>\n'))
  assert.deepEqual(readdirSync(workspace.path('out')).sort(), [
    'dead-letters',
    'journal',
    'metrics',
    'predictions',
    'recommendations',
    'snapshots',
  ])

  const before = workspace.final()
  const { code, stderr } = await millrace(['run', file, '--json'])
  assert.equal(code, 0)
  assert.match(stderr, /the log has no new records; --fresh learns it anew/)
  assert.deepEqual(workspace.final(), before)
  assert.ok(existsSync(workspace.path('log', 'truth.avro')))
})

test('evaluate writes nothing but the report; several configurations make a leaderboard in their order', async () => {
  const workspace = new Workspace()
  const writer = createLogWriter({ path: workspace.path('log'), partitions: 1 })
  writePlainLog(writer, 200)
  writer.close()
  const other = new Workspace({
    ...smallConfig,
    name: 'other',
    source: { log: workspace.path('log') },
    model: { dim: 4 },
  })
  const files = [workspace.path('millrace.yaml'), other.path('millrace.yaml')]
  const one = await json('evaluate', files[0] ?? '')
  for (const key of ['auc', 'logLoss', 'pcoc']) assert.equal(typeof one.tasks.click[key], 'number', key)
  for (const key of ['rmse', 'mae']) assert.equal(typeof one.tasks.rating[key], 'number', key)
  assert.ok(one.eventsPerSecond > 0 && one.records > 1000)
  assert.deepEqual(readdirSync(workspace.folder).sort(), ['log', 'millrace.yaml', 'report.html'])

  const report = workspace.path('both.html')
  const both = await json('evaluate', ...files, '--report', report)
  const names = both.variants.map((run: { name: string }) => run.name)
  assert.deepEqual(names, ['small', 'other'])
  assert.ok(readFileSync(report, 'utf8').includes('other'))
  assert.deepEqual(readdirSync(other.folder), ['millrace.yaml'])
  const asked = ['--report', report, '--interval', 'user', '--baselines']
  const [small, sized] = (await json('evaluate', ...files, ...asked)).variants
  // Intervals are found beside what is learned, and change nothing.
  for (const name of ['click.ftrl', 'buy.ftrl', 'rating.biases']) {
    assert.equal(small.tasks[name].count, one.tasks[name.split('.')[0] ?? ''].count)
    assert.ok('model' in small.tasks[name])
    delete small.tasks[name]
  }
  assert.deepEqual(without(small.tasks, 'intervals', 'model'), without(one.tasks, 'model'))
  const [low, high] = small.tasks.click.intervals.auc
  assert.ok(low < one.tasks.click.auc && one.tasks.click.auc < high)
  assert.equal(sized.tasks.click.differences.auc.interval.length, 2)
  assert.ok(readFileSync(report, 'utf8').includes('Sampling intervals'))
  const seeds = await json('evaluate', files[0] ?? '', '--report', report, '--seeds', '2')
  assert.deepEqual(seeds.tasks, one.tasks)
  assert.equal(seeds.seeds.count, 2)
  assert.ok(seeds.seeds.tasks.click.auc.spread > 0)
  // The evaluation of a log is that of its replay.
  const replayed = await json('replay', files[0] ?? '')
  assert.deepEqual({ tasks: replayed.tasks, counts: replayed.counts }, { tasks: one.tasks, counts: one.counts })
})

function without(tasks: Record<string, object>, ...keys: string[]): unknown {
  const kept = (task: object) => Object.fromEntries(Object.entries(task).filter(([key]) => !keys.includes(key)))
  return Object.fromEntries(Object.entries(tasks).map(([name, task]) => [name, kept(task)]))
}

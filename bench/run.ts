/**
 * `npm run bench`: measures the rows one after another, prints the table of the numbers to reach with a verdict a row,
 * and writes everything as JSON. A row that fails says why and does not stop the others. The file is written after each
 * row, so that a long run that is interrupted is not lost.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { tensorflowEnvironment } from '../src/backend/tensorflow-environment.js'
import { environment, setEnvironment } from '../src/config/load.js'
import { packageRoot } from '../src/std/package-root.js'
import { describeMachine, loadAverage, withoutPaths } from './machine.js'
import { type Context, NotMeasured, type Row, type RowDefinition } from './row.js'
import { createRows } from './rows.js'
import { tableText } from './table-text.js'
import { verdictOf } from './verdict.js'

const HELP = `npm run bench -- [options]
  --only NAME    only this row; may be repeated (NAMES)
  --quick        small sizes and few runs: does everything work? Its verdicts say little
  --json         print the JSON instead of the table
  --out FILE     where the JSON goes (default .data/bench/latest.json)
  --python FILE  a Python with PyTorch (default: the one of scripts/provision-torch)
`

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    out: { type: 'string', default: join(packageRoot(), '.data/bench/latest.json') },
    python: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})
const definitions = createRows()
const unknown = options.only?.find(name => definitions.every(row => row.name !== name))
if (options.help || unknown !== undefined) {
  if (unknown !== undefined) console.error(`there is no row '${unknown}'`)
  console.error(HELP.replace('NAMES', definitions.map(({ name }) => name).join(', ')))
  process.exit(unknown === undefined ? 0 : 2)
}

// TensorFlow takes its number of threads from here, when it is loaded.
setEnvironment(tensorflowEnvironment(1))
const cache = environment().XDG_CACHE_HOME ?? join(homedir(), '.cache')
const context: Context = {
  quick: options.quick,
  repeats: options.quick ? 2 : 5,
  python: options.python ?? join(cache, 'millrace/torch/bin/python'),
  say: progress => console.error(`bench: ${progress}`),
}

const began = new Date()
const loadBefore = loadAverage()
const rows: Row[] = []
for (const definition of definitions) {
  if (options.only !== undefined && !options.only.includes(definition.name)) continue
  rows.push(await measured(definition))
  write()
}
console.log(options.json ? json() : text())

async function measured({ name, what, measure }: RowDefinition): Promise<Row> {
  if (name === 'memory' && options.quick && options.only === undefined)
    return { name, what, figures: [], verdict: 'not measured', reason: 'takes too long for --quick' }
  const start = performance.now()
  try {
    const { figures, details } = await measure(context)
    return { name, what, figures, verdict: verdictOf(figures), seconds: (performance.now() - start) / 1000, details }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    if (!(error instanceof NotMeasured)) context.say(`${name} failed: ${message}`)
    return { name, what, figures: [], verdict: 'not measured', reason: withoutPaths(message) }
  }
}

function results() {
  const seconds = Math.round((Date.now() - began.getTime()) / 1000)
  return {
    date: began.toISOString().slice(0, 10),
    quick: options.quick,
    machine: describeMachine(),
    loadAverage: { before: loadBefore, after: loadAverage() },
    seconds,
    rows,
  }
}

function write(): void {
  mkdirSync(dirname(resolve(options.out)), { recursive: true })
  writeFileSync(options.out, `${json()}\n`)
}

function json(): string {
  return JSON.stringify(results(), rounded, 2)
}

/** Enough digits for any purpose, and a readable file. */
function rounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(6)) : value
}

function text(): string {
  const { machine, loadAverage: load, seconds } = results()
  const { cpu, cores, memoryGiB, node, platform } = machine
  return `${options.quick ? 'Quick: small sizes and few runs, the verdicts say little.\n\n' : ''}${tableText(rows)}

${cpu}, ${cores} cores, ${memoryGiB} GiB, ${platform}, Node ${node}; load average before ${load.before.join(' ')}, after ${load.after.join(' ')}; ${seconds} s
Repeated measurements: the median (least to greatest in so many runs).`
}

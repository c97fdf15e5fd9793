/** `npm run lab`: how well it learns, on the logs that are there. Means of seeds, with intervals by seed and by user. */
import { existsSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { tensorflowEnvironment } from '../src/backend/tensorflow-environment.js'
import { setEnvironment } from '../src/config/load.js'
import { packageRoot } from '../src/std/package-root.js'
import { checkNames, measureRows } from './harness.js'
import { createLabRows } from './lab-rows.js'
import type { Row } from './row.js'
import { clearScratch } from './scratch.js'

const HELP = `npm run lab -- [options]
  --only NAME  only this row; may be repeated (NAMES)
  --quick      one seed
  --json       print the JSON instead of the table
  --out FILE   where the JSON goes (default .data/lab/latest.json)
`

const MOST_LANES = 4
const FULL_REPEATS = 3

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    out: { type: 'string', default: join(packageRoot(), '.data/lab/latest.json') },
    help: { type: 'boolean', default: false },
  },
})
const definitions = createLabRows()
checkNames(definitions, options.only, options.help, HELP)
setEnvironment(tensorflowEnvironment(1))
const context = {
  quick: options.quick,
  repeats: options.quick ? 1 : FULL_REPEATS,
  python: '',
  say: (progress: string) => console.error(`lab: ${progress}`),
}
await clearScratch()
// A run keeps one core busy and a half of another, and needs about a gigabyte; judging next items keeps one busy.
const plan = { lanes: Math.min(MOST_LANES, availableParallelism()), seconds: secondsLastTime() }
await measureRows(definitions, context, { only: options.only, json: options.json, out: options.out, plan })

/** By the name of a row; with one seed it takes a third. */
function secondsLastTime(): ReadonlyMap<string, number> {
  const file = join(packageRoot(), 'bench/results-lab.json')
  const rows = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')).rows as Row[]) : []
  const share = options.quick ? 1 / FULL_REPEATS : 1
  return new Map(rows.flatMap(({ name, seconds }) => (seconds === undefined ? [] : [[name, seconds * share]])))
}

/** `npm run lab`: how well it learns, on the logs that are there. Means of seeds, with intervals by seed and by user. */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { tensorflowEnvironment } from '../src/backend/tensorflow-environment.js'
import { setEnvironment } from '../src/config/load.js'
import { packageRoot } from '../src/std/package-root.js'
import { checkNames, measureRows } from './harness.js'
import { createLabRows } from './lab-rows.js'

const HELP = `npm run lab -- [options]
  --only NAME  only this row; may be repeated (NAMES)
  --quick      one seed
  --json       print the JSON instead of the table
  --out FILE   where the JSON goes (default .data/lab/latest.json)
`

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
  repeats: options.quick ? 1 : 3,
  python: '',
  say: (progress: string) => console.error(`lab: ${progress}`),
}
await measureRows(definitions, context, { only: options.only, json: options.json, out: options.out })

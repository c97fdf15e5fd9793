/** `npm run bench`: everything but Kafka, which has a command of its own (kafka.ts). */
import { homedir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { tensorflowEnvironment } from '../src/backend/tensorflow-environment.js'
import { environment, setEnvironment } from '../src/config/load.js'
import { packageRoot } from '../src/std/package-root.js'
import { checkNames, measureRows } from './harness.js'
import { createRows } from './rows.js'

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
checkNames(definitions, options.only, options.help, HELP)

// TensorFlow takes its number of threads from here, when it is loaded.
setEnvironment(tensorflowEnvironment(1))
const cache = environment().XDG_CACHE_HOME ?? join(homedir(), '.cache')
const context = {
  quick: options.quick,
  repeats: options.quick ? 2 : 5,
  python: options.python ?? join(cache, 'millrace/torch/bin/python'),
  say: (progress: string) => console.error(`bench: ${progress}`),
}
await measureRows(definitions, context, { only: options.only, json: options.json, out: options.out })

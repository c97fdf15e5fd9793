/** `npm run bench:kafka`: throughput, latency and faults with Kafka at both ends, the peer beside us. */
import { homedir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { environment } from '../src/config/load.js'
import { packageRoot } from '../src/std/package-root.js'
import { checkNames, measureRows } from './harness.js'
import { createFaultRows } from './kafka-faults.js'
import { createKafkaRows } from './kafka-rows.js'
import { type KafkaWorld, startWorld } from './kafka-world.js'
import type { Context } from './row.js'

const HELP = `npm run bench:kafka -- [options]
  --only NAME     only this row; may be repeated (NAMES)
  --quick         a small log and few runs: does everything work? Its verdicts say little
  --events N      events of the prepared log (default 600,000)
  --json          print the JSON instead of the table
  --out FILE      where the JSON goes (default .data/bench/kafka.json)
  --peers FOLDER  where the peer's script is (default ../shared/peers)
  --python FILE   a Python with PyTorch (default: the one of scripts/provision-torch)
`

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    quick: { type: 'boolean', default: false },
    events: { type: 'string' },
    json: { type: 'boolean', default: false },
    out: { type: 'string', default: join(packageRoot(), '.data/bench/kafka.json') },
    peers: { type: 'string' },
    python: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})
const cache = join(environment().XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'millrace')
const python = options.python ?? join(cache, 'torch/bin/python')
const context: Context = {
  quick: options.quick,
  repeats: options.quick ? 1 : 5,
  python,
  say: progress => console.error(`bench: ${progress}`),
}
let world: Promise<KafkaWorld> | undefined
const measured = createKafkaRows(context => {
  const events = options.events === undefined ? undefined : Number(options.events)
  world ??= startWorld(context, { python, cache, peers: options.peers, events })
  return world
})
const definitions = [...measured, ...createFaultRows()]
checkNames(definitions, options.only, options.help, HELP)
try {
  await measureRows(definitions, context, { only: options.only, json: options.json, out: options.out })
} finally {
  await (await world?.catch(() => undefined))?.stop()
}

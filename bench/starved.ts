/**
 * The starved case (bench/starved.yaml): what equal weights, fixed weights and rho make of three tasks of which one has a
 * weak signal. Figures are means of the seeds; weights were not chosen on this log, but the fixed ones of the literature.
 */
import { createReadStream, createWriteStream, existsSync } from 'node:fs'
import { mkdir, rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createGzip } from 'node:zlib'
import { parse } from 'csv-parse'
import { loadChecked } from '../src/app/load-checked.js'
import { environment } from '../src/config/load.js'
import type { RunSummary } from '../src/evaluate/report/summary.js'
import { packageRoot } from '../src/std/package-root.js'
import { Random } from '../src/std/random.js'
import { millrace } from './program.js'
import { type Context, type Measured, NotMeasured } from './row.js'
import { overSeeds } from './statistics.js'
import type { Figure } from './verdict.js'

const CHUNK = 32
const CHUNK_MS = 60_000
/** A whole minute. */
const BEGIN_MS = 883_612_800_000
const NEGATIVES = 4
const TRIES = 8
const CONFIG = 'bench/starved.yaml'
const VARIANTS: Record<string, string[]> = {
  default: [],
  'fixed 4:1:1': ['tasks.0.prior=4'],
  rho: ['weights.method=rho'],
}

interface Rated extends Record<string, string> {
  user: string
  item: string
  value: string
}

export async function measureStarved({ quick, say }: Context): Promise<Measured> {
  await makeEvents(say)
  const seeds = quick ? [1] : [1, 2, 3]
  const figures: Figure[] = []
  const details: Record<string, unknown> = {}
  for (const [name, set] of Object.entries(VARIANTS)) {
    const runs: RunSummary[] = []
    for (const seed of seeds) {
      say(`the starved case, ${name}, seed ${seed}`)
      const { stdout } = await millrace('evaluate', CONFIG, '--json', '--set', `model.seed=${seed}`, ...set)
      runs.push(JSON.parse(stdout) as RunSummary)
    }
    const spread = (task: string, metric: 'auc' | 'rmse') =>
      overSeeds(runs.map(({ tasks }) => tasks[task]?.[metric] ?? Number.NaN))
    const [click, like] = [spread('click', 'auc'), spread('like', 'auc')]
    details[name] = { click, like, rmse: spread('rating', 'rmse') }
    figures.push(
      {
        name: `${name}: click AUC`,
        format: 'score',
        value: click,
        limit: { better: 'higher', reach: 0.665, strive: 0.688 },
      },
      {
        name: `${name}: like AUC`,
        format: 'score',
        value: like,
        limit: { better: 'higher', reach: 0.745, strive: 0.75 },
      },
    )
  }
  return { figures, details }
}

/** Writes the events beside the log, once. */
async function makeEvents(say: Context['say']): Promise<void> {
  const { config, folder } = loadChecked(join(packageRoot(), CONFIG), {})
  const target = join(folder, config.source.import?.file ?? '')
  if (existsSync(target)) return
  const source = join(environment().MILLRACE_DATA ?? join(packageRoot(), '../shared/data'), 'ml-100k.csv.gz')
  if (!existsSync(source)) throw new NotMeasured('ml-100k.csv.gz is not in the folder of the data (MILLRACE_DATA)')
  say('drawing what was not clicked')
  const ratings: Rated[] = []
  const rows = createReadStream(source)
    .pipe(createGunzip())
    .pipe(parse({ columns: true }))
  for await (const row of rows) ratings.push(row as Rated)
  await mkdir(dirname(target), { recursive: true })
  await pipeline(Readable.from(eventLines(ratings)), createGzip(), createWriteStream(`${target}.part`))
  await rename(`${target}.part`, target)
}

function* eventLines(ratings: readonly Rated[]): Generator<string> {
  const random = new Random(1)
  const films = new Map(ratings.map(row => [row.item, row]))
  const catalogue = [...films.keys()]
  const rated = new Set<string>()
  yield 'ts_ms,event,user,item,request,value,age,gender,occupation,release_year,genres\n'
  for (let start = 0; start < ratings.length; start += CHUNK) {
    const chunk = ratings.slice(start, start + CHUNK)
    let at = BEGIN_MS + (start / CHUNK) * CHUNK_MS
    const line = (
      event: string,
      { user, age, gender, occupation }: Rated,
      item: string,
      request: string,
      value = '',
    ) => {
      const film = films.get(item)
      return `${at++},${event},${user},${item},${request},${value},${age},${gender},${occupation},${film?.release_year},${film?.genres}\n`
    }
    // The film that was rated has a place of its own among the five: no feature may tell it by its place.
    for (const [i, row] of chunk.entries()) {
      const place = random.integer(1 + NEGATIVES)
      for (let n = 0; n <= NEGATIVES; n++) {
        yield n === place
          ? line('impression', row, row.item, `${start + i}`)
          : line('impression', row, draw(row), `${start + i}-${n}`)
      }
    }
    for (const [i, row] of chunk.entries()) {
      yield line('click', row, row.item, `${start + i}`)
      yield line('rating', row, row.item, `${start + i}`, row.value)
      rated.add(`${row.user} ${row.item}`)
    }

    /** By popularity before this chunk. */
    function draw(row: Rated): string {
      let item = row.item
      for (let tries = 0; tries < TRIES; tries++) {
        item = (start > 0 ? ratings[random.integer(start)]?.item : catalogue[random.integer(catalogue.length)]) ?? item
        if (item !== row.item && !rated.has(`${row.user} ${item}`)) break
      }
      return item
    }
  }
}

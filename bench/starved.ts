/**
 * The starved case (bench/starved.yaml): what equal weights, fixed weights and adaptive ones make of three tasks of which
 * one has a weak signal; with the features of the configuration, and with ids and side ids alone. Figures are means of the
 * seeds; weights were not chosen on this log, but the fixed ones of the literature.
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
import { overSeeds, type SeedMean } from './statistics.js'
import type { Figure } from './verdict.js'

const CHUNK = 32
const CHUNK_MS = 60_000
/** A whole minute. */
const BEGIN_MS = 883_612_800_000
const NEGATIVES = 4
const TRIES = 8
const CONFIG = 'bench/starved.yaml'
const FIXED = 'fixed 4:1:1'
const FIXED_TWO_SPEED = 'fixed 4:1:1, two-speed'
const VARIANTS: Record<string, string[]> = {
  default: [],
  [FIXED]: ['tasks.0.prior=4'],
  rho: ['weights.method=rho'],
}
const ID_VARIANTS: Record<string, string[]> = {
  ...VARIANTS,
  'fixed 10:1:1': ['tasks.0.prior=10'],
  gradnorm: ['weights.method=gradnorm'],
  'imtl-g': ['weights.method=imtl-g'],
  'twice the row length': ['model.dim=32'],
  'two-speed': ['fast.enabled=true'],
  [FIXED_TWO_SPEED]: ['fast.enabled=true', 'tasks.0.prior=4'],
}

type Metrics = Record<'click' | 'like' | 'rmse', SeedMean>

interface Rated extends Record<string, string> {
  user: string
  item: string
  value: string
}

export async function measureStarved(context: Context): Promise<Measured> {
  const details = await measured(VARIANTS, [], context)
  const figures = Object.entries(details).flatMap(([name, { click, like }]): Figure[] => [
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
  ])
  return { figures, details }
}

/** Of ids and side ids alone: how far each is from the fixed weights in the task that they are for, and what it costs another. */
export async function measureStarvedIds(context: Context): Promise<Measured> {
  const details = await measured(ID_VARIANTS, ['features.numeric=[]'], context)
  const less = (name: string, metric: 'click' | 'like', than: string) =>
    overSeeds(
      (details[name]?.[metric].runs ?? []).map((auc, i) => auc - (details[than]?.[metric].runs[i] ?? Number.NaN)),
    )
  const figures = Object.keys(details).flatMap((name): Figure[] =>
    name.startsWith('fixed')
      ? []
      : [
          against(name, name === 'two-speed' ? FIXED_TWO_SPEED : FIXED),
          figure(`${name}: like AUC − default`, less(name, 'like', 'default')),
        ],
  )
  return { figures, details }

  function against(name: string, fixed: string): Figure {
    return figure(`${name}: click AUC − ${fixed}`, less(name, 'click', fixed))
  }

  function figure(name: string, value: SeedMean): Figure {
    return { name, format: 'score', value, limit: { better: 'higher', reach: -0.003 } }
  }
}

async function measured(
  variants: Record<string, string[]>,
  settings: readonly string[],
  { quick, say }: Context,
): Promise<Record<string, Metrics>> {
  await makeEvents(say)
  const seeds = quick ? [1] : [1, 2, 3]
  const found: Record<string, Metrics> = {}
  for (const [name, set] of Object.entries(variants)) {
    const runs: RunSummary[] = []
    for (const seed of seeds) {
      say(`the starved case, ${name}, seed ${seed}`)
      const { stdout } = await millrace(
        'evaluate',
        CONFIG,
        '--json',
        '--set',
        `model.seed=${seed}`,
        ...settings,
        ...set,
      )
      runs.push(JSON.parse(stdout) as RunSummary)
    }
    const spread = (task: string, metric: 'auc' | 'rmse') =>
      overSeeds(runs.map(({ tasks }) => tasks[task]?.[metric] ?? Number.NaN))
    found[name] = { click: spread('click', 'auc'), like: spread('like', 'auc'), rmse: spread('rating', 'rmse') }
  }
  return found
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

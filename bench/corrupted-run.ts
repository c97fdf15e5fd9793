/** One pass over a log that was made of ml-100k: every prediction of a rating beside the rating, by the event's id. */
import { createReadStream, createWriteStream, existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createGzip } from 'node:zlib'
import { parse } from 'csv-parse'
import { parse as parseYaml } from 'yaml'
import { environment } from '../src/config/load.js'
import { packageRoot } from '../src/std/package-root.js'
import type { Rating } from './corruptions.js'
import { predictionsOf } from './predictions.js'
import { millrace } from './program.js'
import { NotMeasured } from './row.js'
import { withScratch } from './scratch.js'

const CONFIG = 'examples/ml-100k.yaml'
const MAPPING = 'examples/ml-100k.import.yaml'

/** The error of each prediction, by the event's id; NaN and infinity where the model said such. */
export type Errors = ReadonlyMap<string, number>

/** In the order of time, ids c0 c1 … */
export async function readRatings(): Promise<Rating[]> {
  const source = join(environment().MILLRACE_DATA ?? join(packageRoot(), '../shared/data'), 'ml-100k.csv.gz')
  if (!existsSync(source)) throw new NotMeasured('ml-100k.csv.gz is not in the folder of the data (MILLRACE_DATA)')
  const ratings: Rating[] = []
  const rows = createReadStream(source)
    .pipe(createGunzip())
    .pipe(parse({ columns: true }))
  for await (const row of rows) ratings.push({ ...(row as Rating), id: `c${ratings.length}` })
  return ratings
}

/** The example as it is, but for its log and the seed. Scratch files are removed. */
export function errorsOf(name: string, ratings: readonly Rating[], seed: number): Promise<Errors> {
  return withScratch(name, folder => errorsIn(folder, ratings, seed))
}

async function errorsIn(folder: string, ratings: readonly Rating[], seed: number): Promise<Errors> {
  const mapping = parseYaml(await readFile(join(packageRoot(), MAPPING), 'utf8'))
  mapping.fields.eventId = 'id'
  await writeFile(join(folder, 'import.yaml'), JSON.stringify(mapping))
  const file = join(folder, 'events.csv.gz')
  await pipeline(Readable.from(csvLines(ratings)), createGzip({ level: 1 }), createWriteStream(file))
  await millrace(
    ...['replay', CONFIG, '--set', `model.seed=${seed}`, `source.log=${join(folder, 'log')}`],
    ...[`source.import.file=${file}`, `source.import.mapping=${join(folder, 'import.yaml')}`],
    ...[`outputs.path=${join(folder, 'out')}`, `checkpoint.path=${join(folder, 'checkpoints')}`],
    `evaluate.report=${join(folder, 'report.html')}`,
  )
  return readErrors(join(folder, 'out/predictions'), ratings)
}

async function readErrors(folder: string, ratings: readonly Rating[]): Promise<Errors> {
  const values = new Map(ratings.map(({ id, value }) => [id, Number(value)]))
  const errors = new Map<string, number>()
  for await (const { eventId, values: said } of predictionsOf(folder))
    errors.set(eventId, (said.rating ?? Number.NaN) - (values.get(eventId) ?? Number.NaN))
  return errors
}

function* csvLines(ratings: readonly Rating[]): Generator<string> {
  const columns = Object.keys(ratings[0] ?? {})
  yield `${columns.join()}\n`
  for (const row of ratings) yield `${columns.map(column => quoted(row[column] ?? '')).join()}\n`
}

function quoted(text: string): string {
  return `"${text.replaceAll('"', '""')}"`
}

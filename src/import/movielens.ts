/**
 * The folders that GroupLens distributes (users bring them): ml-100k (u.data, u.item, u.user, u.genre), ml-1m (*.dat) and
 * ml-latest, ml-latest-small, ml-20m and later (ratings.csv, movies.csv). Ratings are put into order of time; films
 * have title, release year and genres; users, where the folder has them, age, gender, occupation and region.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { MillraceError } from '../domain/errors.js'
import { type CsvFormat, readCsv } from './csv.js'
import { type ImportOptions, type ImportSummary, importCsv } from './import-csv.js'
import { type MappingInput, mappingSchema } from './mapping.js'

export type MovieLensOptions = Omit<ImportOptions, 'file' | 'mapping' | 'join'> & {
  folder: string
  partitions?: number
}

/** title, release_year, genres */
type Film = readonly [string, string, string]
/** age, gender, occupation, zip */
type Viewer = readonly [string, string, string, string]

interface Edition {
  ratings: string
  format: CsvFormat
  films(folder: string): Promise<Map<string, Film>>
  viewers?(folder: string): Promise<Map<string, Viewer>>
}

const RATING_COLUMNS = ['user', 'item', 'rating', 'timestamp']
const FILM_COLUMNS = ['title', 'release_year', 'genres']
const VIEWER_COLUMNS = ['age', 'gender', 'occupation', 'zip']
const NO_FILM: Film = ['', '', '']
const NO_VIEWER: Viewer = ['', '', '', '']

const tabs: CsvFormat = { delimiter: '\t', quote: false, encoding: 'latin1', header: false, columns: RATING_COLUMNS }
const bars: CsvFormat = { ...tabs, delimiter: '|' }
const colons: CsvFormat = { ...tabs, delimiter: '::' }
const commas: CsvFormat = { delimiter: ',', quote: '"', encoding: 'utf-8', header: true, columns: RATING_COLUMNS }

const EDITIONS: readonly Edition[] = [
  {
    ratings: 'u.data',
    format: tabs,
    async films(folder) {
      const genres = await rowsOf(join(folder, 'u.genre'), { ...bars, columns: ['genre', 'index'] })
      const names = genres.map(([name = '']) => name)
      const columns = ['id', 'title', 'release', 'video', 'url', ...names]
      const films = await rowsOf(join(folder, 'u.item'), { ...bars, columns })
      return byId(films, ([, title = '', , , , ...flags]) =>
        film(title, names.filter((name, index) => flags[index] === '1' && name !== 'unknown').join('|')),
      )
    },
    async viewers(folder) {
      const viewers = await rowsOf(join(folder, 'u.user'), { ...bars, columns: ['id', ...VIEWER_COLUMNS] })
      return byId(viewers, ([, age = '', gender = '', occupation = '', zip = '']) => [age, gender, occupation, zip])
    },
  },
  {
    ratings: 'ratings.dat',
    format: colons,
    async films(folder) {
      const films = await rowsOf(join(folder, 'movies.dat'), { ...colons, columns: ['id', 'title', 'genres'] })
      return byId(films, ([, title = '', genres = '']) => film(title, genres))
    },
    async viewers(folder) {
      const viewers = await rowsOf(join(folder, 'users.dat'), {
        ...colons,
        columns: ['id', 'gender', 'age', 'occupation', 'zip'],
      })
      return byId(viewers, ([, gender = '', age = '', occupation = '', zip = '']) => [age, gender, occupation, zip])
    },
  },
  {
    ratings: 'ratings.csv',
    format: commas,
    async films(folder) {
      const films = await rowsOf(join(folder, 'movies.csv'), { ...commas, columns: ['id', 'title', 'genres'] })
      return byId(films, ([, title = '', genres = '']) => film(title, genres === '(no genres listed)' ? '' : genres))
    },
  },
]

export async function importMovieLens({
  folder,
  partitions = 1,
  ...options
}: MovieLensOptions): Promise<ImportSummary> {
  const edition = EDITIONS.find(({ ratings }) => existsSync(join(folder, ratings)))
  if (edition === undefined) {
    throw new MillraceError(
      'IMPORT_INVALID',
      `${folder}: no MovieLens folder that is known here; it would hold one of ${EDITIONS.map(({ ratings }) => ratings).join(', ')}`,
    )
  }
  const films = await edition.films(folder)
  const viewers = await edition.viewers?.(folder)
  const mapping = mappingSchema.parse({
    ...edition.format,
    columns: RATING_COLUMNS,
    time: { column: 'timestamp', unit: 's' },
    event: 'rating',
    fields: { user: 'user', item: 'item', value: 'rating' },
    profiles: profiles(viewers !== undefined),
    partitions,
  } satisfies { [K in keyof MappingInput]: unknown })
  return importCsv({
    ...options,
    file: join(folder, edition.ratings),
    mapping: { mapping, locate: () => folder },
    join: {
      columns: [...FILM_COLUMNS, ...(viewers === undefined ? [] : VIEWER_COLUMNS)],
      fieldsOf([user = '', item = '']) {
        const ofFilm = films.get(item) ?? NO_FILM
        return viewers === undefined ? ofFilm : [...ofFilm, ...(viewers.get(user) ?? NO_VIEWER)]
      },
    },
  })
}

function profiles(withUsers: boolean): MappingInput['profiles'] {
  return {
    item: {
      title: 'title',
      attributes: { genres: { column: 'genres', split: '|' }, release_year: 'release_year' },
      numbers: { release_year: 'release_year' },
    },
    ...(withUsers && {
      user: {
        attributes: {
          gender: 'gender',
          occupation: 'occupation',
          region: { column: 'zip', first: 1 },
          age_band: { column: 'age', bands: [18, 25, 35, 45, 50, 56] },
        },
        numbers: { age: 'age' },
      },
    }),
  }
}

/** 'Toy Story (1995)' → title and year; a few titles say more behind the year, or have none. */
function film(title: string, genres: string): Film {
  const year = [...title.matchAll(/\((\d{4})\)/g)].at(-1)?.[1] ?? ''
  return [title.replace(/\s*\(\d{4}\)\s*$/, ''), year, genres]
}

async function rowsOf(file: string, format: CsvFormat): Promise<string[][]> {
  if (!existsSync(file))
    throw new MillraceError('IMPORT_INVALID', `${file} is not there; it belongs to this edition of MovieLens`)
  const rows: string[][] = []
  const reading = {
    onColumns() {},
    onBadRow(line: number, message: string): never {
      throw new MillraceError('IMPORT_INVALID', `${file}:${line}: ${message}`)
    },
  }
  for await (const { fields } of readCsv(file, format, reading)) rows.push(fields)
  return rows
}

function byId<T>(rows: readonly string[][], valued: (row: readonly string[]) => T): Map<string, T> {
  return new Map(rows.map(row => [row[0] ?? '', valued(row)]))
}

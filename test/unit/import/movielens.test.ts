import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { EventKind } from '../../../src/domain/event.js'
import { importMovieLens } from '../../../src/import/movielens.js'
import type { LogRecords, LogWriter } from '../../../src/sink/sink.js'

const root = mkdtempSync(join(tmpdir(), 'millrace-movielens-'))
after(() => rmSync(root, { recursive: true }))

function folderOf(name: string, files: Record<string, string>): string {
  const folder = join(root, name)
  mkdirSync(folder)
  for (const [file, text] of Object.entries(files))
    writeFileSync(join(folder, file), Buffer.from(text, file.endsWith('.csv') ? 'utf8' : 'latin1'))
  return folder
}

async function imported(folder: string) {
  // biome-ignore lint/suspicious/noExplicitAny: every kind has other fields
  const records: { kind: EventKind; record: any }[] = []
  const writer: LogWriter = {
    write: <K extends EventKind>(_partition: number, kind: K, record: LogRecords[K]) =>
      void records.push({ kind, record }),
    close: () => ({ records: [], bytes: 0, segments: 0 }),
  }
  const summary = await importMovieLens({ folder, writer, scratch: join(root, 'scratch') })
  return { summary, of: (kind: EventKind) => records.filter(one => one.kind === kind).map(({ record }) => record) }
}

const flags = (...set: number[]) =>
  Array.from({ length: 19 }, (_, index) => (set.includes(index) ? '1' : '0')).join('|')
const GENRES = [
  'unknown',
  'Action',
  'Adventure',
  'Animation',
  "Children's",
  'Comedy',
  'Crime',
  'Documentary',
  'Drama',
  'Fantasy',
  'Film-Noir',
  'Horror',
  'Musical',
  'Mystery',
  'Romance',
  'Sci-Fi',
  'Thriller',
  'War',
  'Western',
]

test('ml-100k: tabs, bars and latin-1; ratings come in order of time with both profiles', async () => {
  const folder = folderOf('ml-100k', {
    'u.data': '196\t242\t3\t881250949\n186\t302\t4\t881250940\n',
    'u.genre': `${GENRES.map((name, index) => `${name}|${index}`).join('\n')}\n\n`,
    'u.item': `242|Misérables, Les (1995)|01-Jan-1995||http://x|${flags(8, 12)}\n302|Land Before Time III: "Great Giving" (1995) (V)|01-Jan-1995||http://y|${flags(0)}\n`,
    'u.user': '196|49|M|writer|55105\n186|17|F|executive|T8H1N\n',
  })
  const { summary, of } = await imported(folder)
  assert.deepEqual(
    of('rating').map(({ user, item, value, eventTime }) => [user, item, value, eventTime]),
    [
      ['186', '302', 4, 881250940000],
      ['196', '242', 3, 881250949000],
    ],
  )
  assert.deepEqual(
    of('item').map(({ id, title, attributes, numbers }) => [id, title, attributes, numbers]),
    [
      ['302', 'Land Before Time III: "Great Giving" (1995) (V)', { release_year: ['1995'] }, { release_year: 1995 }],
      ['242', 'Misérables, Les', { genres: ['Drama', 'Musical'], release_year: ['1995'] }, { release_year: 1995 }],
    ],
  )
  assert.deepEqual(
    of('user').map(({ attributes, numbers }) => [attributes, numbers]),
    [
      [{ gender: ['F'], occupation: ['executive'], region: ['T'], age_band: ['<18'] }, { age: 17 }],
      [{ gender: ['M'], occupation: ['writer'], region: ['5'], age_band: ['45-50'] }, { age: 49 }],
    ],
  )
  assert.equal(summary.reordered, 1)
})

test('ml-1m: fields between double colons', async () => {
  const folder = folderOf('ml-1m', {
    'ratings.dat': '1::1193::5::978300760\n2::661::3::978302109\n',
    'movies.dat':
      '1193::One Flew Over the Cuckoo\'s Nest: Part (1975)::Drama\n661::Café "Q" (1996)::Animation|Children\'s\n',
    'users.dat': '1::F::1::10::48067\n2::M::56::16::70072\n',
  })
  const { of } = await imported(folder)
  assert.deepEqual(
    of('item').map(({ title, attributes }) => [title, attributes.genres]),
    [
      ["One Flew Over the Cuckoo's Nest: Part", ['Drama']],
      ['Café "Q"', ['Animation', "Children's"]],
    ],
  )
  assert.deepEqual(
    of('user').map(({ attributes }) => attributes.age_band[0]),
    ['<18', '>=56'],
  )
})

test('ml-latest: CSV with quotes, half stars, no users, films without genres or unknown', async () => {
  const folder = folderOf('ml-latest-small', {
    'ratings.csv': 'userId,movieId,rating,timestamp\n1,1,4.5,964982703\n1,99,0.5,964982704\n',
    'movies.csv': 'movieId,title,genres\n1,"American President, The (1995)",(no genres listed)\n',
  })
  const { of } = await imported(folder)
  assert.deepEqual(
    of('rating').map(({ value }) => value),
    [4.5, 0.5],
  )
  assert.deepEqual(
    of('item').map(({ title, attributes }) => [title, attributes]),
    [
      ['American President, The', { release_year: ['1995'] }],
      [null, {}],
    ],
  )
  assert.equal(of('user').length, 0)
})

test('another folder, or one that lacks a file, is an error that names what is missing', async () => {
  await assert.rejects(imported(root), /would hold one of u\.data, ratings\.dat, ratings\.csv/)
  await assert.rejects(
    imported(folderOf('half', { 'ratings.csv': 'userId,movieId,rating,timestamp\n' })),
    /movies\.csv is not there/,
  )
})

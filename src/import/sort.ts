/**
 * Puts rows into order of time, rows of one time in the order of the file. Up to `maxBytes` (an estimate of what the rows
 * take) they are sorted in memory; beyond that, sorted runs go to files in `scratch`, about as large as the rows' text,
 * and are merged. The scratch files are removed at the end, also after a failure.
 */
import { once } from 'node:events'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'

export interface TimedRow {
  timeMs: number
  line: number
  fields: string[]
}

export interface SortOptions {
  scratch: string
  maxBytes: number
}

export interface SortCounts {
  rows: number
  /** Rows whose time is before that of the row above. */
  reordered: number
  /** Runs on disk; 0 = sorted in memory. */
  runs: number
}

/** `counts` is filled while reading; complete when the first row comes out. */
export async function* sortByTime(
  rows: AsyncIterable<TimedRow>,
  options: SortOptions,
  counts: SortCounts,
): AsyncGenerator<TimedRow> {
  let buffer: TimedRow[] = []
  let bytes = 0
  let last = Number.NEGATIVE_INFINITY
  const runs: string[] = []
  try {
    for await (const row of rows) {
      counts.rows++
      if (row.timeMs < last) counts.reordered++
      last = row.timeMs
      buffer.push(row)
      bytes += sizeOf(row)
      if (bytes <= options.maxBytes) continue
      await mkdir(options.scratch, { recursive: true })
      const file = join(options.scratch, `run-${counts.runs++}.jsonl`)
      runs.push(file)
      await spill(sorted(buffer), file)
      buffer = []
      bytes = 0
    }
    sorted(buffer)
    if (runs.length === 0) yield* buffer
    else yield* merge([...runs.map(readRun), buffer[Symbol.iterator]()])
  } finally {
    for (const file of runs) await rm(file, { force: true })
  }
}

/** Stable, so the file's order holds within one time. */
function sorted(rows: TimedRow[]): TimedRow[] {
  return rows.sort((a, b) => a.timeMs - b.timeMs)
}

/** What V8 needs for a row, roughly: its fields are slices or small strings. */
function sizeOf(row: TimedRow): number {
  let bytes = 80
  for (const field of row.fields) bytes += 32 + field.length
  return bytes
}

async function spill(rows: readonly TimedRow[], file: string): Promise<void> {
  const out = createWriteStream(file)
  const done = finished(out)
  done.catch(() => {})
  for (const row of rows) {
    if (!out.write(`${JSON.stringify([row.timeMs, row.line, ...row.fields])}\n`))
      await Promise.race([once(out, 'drain'), done])
  }
  out.end()
  await done
}

async function* readRun(file: string): AsyncGenerator<TimedRow> {
  // Not node:readline, which would also break lines at U+2028.
  let rest = ''
  for await (const chunk of createReadStream(file, { encoding: 'utf8', highWaterMark: 262_144 })) {
    const lines = `${rest}${chunk}`.split('\n')
    rest = lines.pop() ?? ''
    for (const text of lines) {
      const [timeMs, line, ...fields] = JSON.parse(text) as [number, number, ...string[]]
      yield { timeMs, line, fields }
    }
  }
}

/** Runs are stretches of the file, so among equal times the earlier run goes first. */
async function* merge(runs: readonly (AsyncIterator<TimedRow> | Iterator<TimedRow>)[]): AsyncGenerator<TimedRow> {
  const heads: (TimedRow | undefined)[] = []
  for (const run of runs) heads.push(await nextOf(run))
  for (;;) {
    let first = -1
    let firstMs = Number.POSITIVE_INFINITY
    for (let index = 0; index < heads.length; index++) {
      const head = heads[index]
      if (head === undefined || head.timeMs >= firstMs) continue
      first = index
      firstMs = head.timeMs
    }
    const row = heads[first]
    const run = runs[first]
    if (row === undefined || run === undefined) return
    heads[first] = await nextOf(run)
    yield row
  }
}

async function nextOf(run: AsyncIterator<TimedRow> | Iterator<TimedRow>): Promise<TimedRow | undefined> {
  const result = await run.next()
  return result.done === true ? undefined : result.value
}

/**
 * CSV file → event log. Rows are read as a stream, put into order of time (sort.ts) and become records (emitter.ts).
 * Nothing is guessed: a column that is not there, a kind that is not mapped, a time or number that is none stops the
 * import with its place, unless the mapping says `onBadRow: skip`; then bad rows are counted and the first are named.
 */

import { nearest } from '../config/suggest.js'
import { MillraceError } from '../domain/errors.js'
import type { EventKind } from '../domain/event.js'
import type { LogWriter } from '../sink/sink.js'
import { type CsvRow, readCsv } from './csv.js'
import { BadRow, Emitter } from './emitter.js'
import { columnReferences } from './mapping.js'
import type { LoadedMapping } from './mapping-file.js'
import { type SortCounts, sortByTime, type TimedRow } from './sort.js'
import { parseTime } from './values.js'

export interface ImportOptions {
  file: string
  mapping: LoadedMapping
  writer: LogWriter
  /** A folder for sorted runs when the rows do not fit `maxSortBytes`; made when needed. */
  scratch: string
  /** Memory for sorting, estimated. */
  maxSortBytes?: number
  /** Records written, and how much of the whole is done, 0..1. */
  onProgress?(records: number, share: number): void
  /** More columns for each row, from the fields that the file has; see movielens.ts. */
  join?: RowJoin
}

interface RowJoin {
  columns: readonly string[]
  /** Fields of `columns` for a row of the file. */
  fieldsOf(row: readonly string[]): readonly string[]
}

export interface ImportSummary {
  file: string
  rows: number
  records: number
  byKind: Record<EventKind, number>
  /** Rows whose kind the mapping drops. */
  dropped: number
  badRows: number
  /** The first bad rows. */
  examples: { line: number; message: string }[]
  users: number
  items: number
  startMs: number | null
  endMs: number | null
  /** Rows that came before their time. */
  reordered: number
  /** Sorted runs on disk; 0 = sorted in memory. */
  runs: number
}

const MAX_SORT_BYTES = 268_435_456
const EXAMPLES = 10
const PROGRESS_EVERY = 8192

export async function importCsv(options: ImportOptions): Promise<ImportSummary> {
  const { file, writer, join } = options
  const { mapping, locate } = options.mapping
  const indexOf = new Map<string, number>()
  const emitter = new Emitter({ mapping, writer, indexOf })
  const counts: SortCounts = { rows: 0, reordered: 0, runs: 0 }
  const examples: { line: number; message: string }[] = []
  let rowsRead = 0
  let badRows = 0
  let readShare = 0
  let written = 0
  let startMs: number | null = null
  let endMs: number | null = null

  const rows = readCsv(file, mapping, {
    onColumns(columns) {
      for (const [index, name] of [...columns, ...(join?.columns ?? [])].entries()) indexOf.set(name.trim(), index)
      const missing = columnReferences(mapping).filter(({ column }) => !indexOf.has(column))
      if (missing.length === 0) return
      const messages = missing.map(({ path, column }) => {
        const meant = nearest(column, [...indexOf.keys()])
        const hint = meant === undefined ? `; it has ${[...indexOf.keys()].join(', ')}` : `, did you mean '${meant}'?`
        return `${locate(path)}: ${path.join('.')}: ${file} has no column '${column}'${hint}`
      })
      throw new MillraceError('IMPORT_INVALID', messages.join('\n'))
    },
    onBadRow,
    onShare(share) {
      readShare = share
      options.onProgress?.(0, share / 2)
    },
  })

  for await (const row of sortByTime(
    timed(rows),
    { scratch: options.scratch, maxBytes: options.maxSortBytes ?? MAX_SORT_BYTES },
    counts,
  )) {
    // After sorting, so that what is joined takes no part in its memory.
    if (join !== undefined) row.fields.push(...join.fieldsOf(row.fields))
    try {
      emitter.emit(row)
    } catch (fault) {
      if (!(fault instanceof BadRow)) throw fault
      onBadRow(row.line, fault.message)
      continue
    }
    startMs ??= row.timeMs
    endMs = row.timeMs
    if (++written % PROGRESS_EVERY === 0) options.onProgress?.(written, readShare / 2 + written / counts.rows / 2)
  }
  options.onProgress?.(written, 1)
  return {
    file,
    rows: rowsRead,
    records: Object.values(emitter.byKind).reduce((sum, count) => sum + count, 0),
    byKind: emitter.byKind,
    dropped: emitter.dropped,
    badRows,
    examples,
    users: emitter.users,
    items: emitter.items,
    startMs,
    endMs,
    reordered: counts.reordered,
    runs: counts.runs,
  }

  function onBadRow(line: number, message: string): void {
    if (mapping.onBadRow === 'fail')
      throw new MillraceError('IMPORT_INVALID', `${file}:${line}: ${message}`, { details: { file, line } })
    badRows++
    if (examples.length < EXAMPLES) examples.push({ line, message })
  }

  async function* timed(source: AsyncIterable<CsvRow>): AsyncGenerator<TimedRow> {
    const { column, unit } = mapping.time
    for await (const { line, fields } of source) {
      rowsRead++
      const text = fields[indexOf.get(column) ?? -1] ?? ''
      const timeMs = parseTime(text, unit)
      if (timeMs === undefined) onBadRow(line, `${column}: '${text}' is not a time in ${unit}`)
      else yield { timeMs, line, fields }
    }
  }
}

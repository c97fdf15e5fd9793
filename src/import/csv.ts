/**
 * Rows of a CSV file, gzip or not, as a stream: memory does not depend on its size.
 * A row that can not be taken apart, or that has another number of fields than the header, goes to `onBadRow`, which
 * throws or lets reading go on. A quote that is never closed, or closed amid a field, always ends the import: where the
 * next row begins can not be known then, and the parser would swallow good rows up to the next quote, uncounted.
 */
import { pipeline } from 'node:stream'
import { type CsvError, type Info, parse } from 'csv-parse'
import { MillraceError } from '../domain/errors.js'
import { invalidLine, openTextFile } from './text-file.js'

export interface CsvFormat {
  delimiter: string
  quote: string | false
  encoding: 'utf-8' | 'latin1'
  header: boolean
  columns?: readonly string[] | undefined
}

export interface CsvRow {
  /** Line of the file on which the row ends; the first line is 1. */
  line: number
  fields: string[]
}

export interface CsvReading {
  /** Called once, before the first row. */
  onColumns(columns: readonly string[]): void
  /** May throw; otherwise the row is left out. */
  onBadRow(line: number, message: string): void
  /** 0..1 of the file's bytes. */
  onShare?(share: number): void
}

const SHARE_EVERY = 4096

export async function* readCsv(file: string, format: CsvFormat, reading: CsvReading): AsyncGenerator<CsvRow> {
  const { stages, share, close } = openTextFile(file)
  let thrown: unknown
  let unclosed = false
  const parser = parse({
    delimiter: format.delimiter,
    quote: format.quote === false ? null : format.quote,
    // An escape of its own: a doubled quote; without quotes nothing is escaped.
    ...(format.quote === false ? { escape: null as never } : {}),
    encoding: format.encoding === 'latin1' ? 'latin1' : 'utf8',
    bom: format.encoding !== 'latin1',
    info: true,
    relax_column_count: true,
    skip_empty_lines: true,
    skip_records_with_error: true,
    on_skip(error) {
      try {
        if (error === undefined) return undefined
        const at = Number(error.lines ?? 0)
        if (RECOVERABLE.has(error.code)) reading.onBadRow(at, sentence(error))
        else if (error.code === 'CSV_QUOTE_NOT_CLOSED') unclosed = true
        else throw invalidLine(file, at, `${sentence(error)}${NO_NEXT_ROW}`)
      } catch (fault) {
        thrown ??= fault
      }
      return undefined
    },
  })
  // Errors of any stage end the parser, and so the loop below, with that error.
  pipeline([...stages, parser], () => {})
  let columns = format.header ? undefined : format.columns
  if (columns !== undefined) reading.onColumns(columns)
  let rows = 0
  let line = 0
  try {
    for await (const { record, info } of parser as AsyncIterable<{ record: string[]; info: Info }>) {
      if (thrown !== undefined) throw thrown
      line = info.lines
      if (columns === undefined) {
        columns = format.columns ?? record
        if (columns.length !== record.length)
          throw invalidLine(file, line, `the header has ${record.length} columns, the mapping names ${columns.length}`)
        reading.onColumns(columns)
        continue
      }
      if (record.length !== columns.length) {
        reading.onBadRow(line, `expected ${columns.length} fields (${columns.join(', ')}), found ${record.length}`)
        continue
      }
      if (++rows % SHARE_EVERY === 0) reading.onShare?.(share())
      yield { line, fields: record }
    }
    if (thrown !== undefined) throw thrown
    // It opened behind the last good row; the parser itself only knows that it came to the end of the file.
    if (unclosed) throw invalidLine(file, line + 1, `a quote is opened here or below and never closed${NO_NEXT_ROW}`)
    if (columns === undefined) throw new MillraceError('IMPORT_INVALID', `${file}: the file is empty`)
  } catch (cause) {
    if (cause instanceof MillraceError) throw cause
    throw invalidLine(file, line + 1, (cause as Error).message, cause)
  } finally {
    close()
  }
}

/** After these the parser goes on with the next line. */
const RECOVERABLE: ReadonlySet<string> = new Set(['INVALID_OPENING_QUOTE'])

const NO_NEXT_ROW =
  '; where the next row begins can not be known. If quotes belong to the text, say `quote: false` in the mapping (`embed`: --no-quotes)'

/** csv-parse ends its messages with the position, which we give in our own form. */
const sentence = (error: CsvError) => error.message.replace(/,? (on|at) line \d+.*$/s, '').toLowerCase()

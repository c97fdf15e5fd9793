/**
 * A catalogue of items, CSV or JSON lines, as records of item profiles beside the text that describes each. Columns and keys
 * are those that the caller names; nothing is guessed. A record's id of event is made of the time, the line and the item,
 * so the same file gives the same records.
 */
import { nearest } from '../config/suggest.js'
import { MillraceError } from '../domain/errors.js'
import type { LogRecords } from '../sink/sink.js'
import { readCsv } from './csv.js'
import { readJsonLines } from './json-lines.js'
import { parseNumber } from './values.js'

interface CatalogueFormat {
  lines: 'csv' | 'json'
  /** Of CSV. */
  delimiter: string
  quote: string | false
}

export interface CatalogueOptions {
  file: string
  format: CatalogueFormat
  /** Column or key of the item's id; the others likewise. */
  id: string
  /** Whose texts are joined, in this order. Some may be absent where `required` does not name them. */
  texts: readonly string[]
  /** Become attributes, and `numbers` numbers; `price` is the profile's own. */
  attributes: readonly string[]
  numbers: readonly string[]
  /** What is between several values of an attribute, if a text can have several. */
  split: string | undefined
  /** Columns or keys that the file must have. */
  required: readonly string[]
  /** When the profiles were as they are. */
  eventTimeMs: number
  /** May throw; otherwise the line is left out. */
  onBadLine(line: number, message: string): void
  onShare(share: number): void
}

export interface CatalogueItem {
  record: LogRecords['item']
  /** '' if it has none. */
  text: string
}

/** Values of a column or key: none, one, or those of a list. */
type Values = (name: string) => string[]

/** Profile fields that are kept where the file has a column or key of that name. */
const OWN = ['title', 'text', 'category', 'brand'] as const
/** Names of keys that are remembered, to say what a file has instead of what was asked for. */
const MAX_NAMES = 1000

class BadLine extends Error {}

/** IMPORT_INVALID: the file can not be read, or has no such column. */
export async function* readCatalogue(options: CatalogueOptions): AsyncGenerator<CatalogueItem> {
  const { file, onBadLine } = options
  for await (const { line, values } of options.format.lines === 'csv' ? csvLines(options) : jsonLines(options)) {
    try {
      yield itemOf(line, values, options)
    } catch (fault) {
      if (!(fault instanceof BadLine)) throw fault
      onBadLine(line, fault.message)
    }
  }
  options.onShare(1)

  async function* csvLines({ format, onShare }: CatalogueOptions): AsyncGenerator<{ line: number; values: Values }> {
    const places = new Map<string, number>()
    const rows = readCsv(
      file,
      { delimiter: format.delimiter, quote: format.quote, encoding: 'utf-8', header: true },
      {
        onColumns(columns) {
          for (const [place, name] of columns.entries()) places.set(name.trim(), place)
          checkNames(options, [...places.keys()])
        },
        onBadRow: onBadLine,
        onShare,
      },
    )
    for await (const { line, fields } of rows) {
      const values: Values = name => {
        const text = fields[places.get(name) ?? -1]?.trim() ?? ''
        return text === '' ? [] : [text]
      }
      yield { line, values }
    }
  }

  /** Any object may lack any key, so that what is nowhere is only known at the end. */
  async function* jsonLines({ onShare }: CatalogueOptions): AsyncGenerator<{ line: number; values: Values }> {
    const seen = new Set<string>()
    const wanted = new Set([...options.required, ...options.texts])
    for await (const { line, value } of readJsonLines(file, { onBadLine, onShare })) {
      for (const name of Object.keys(value)) if (seen.size < MAX_NAMES || wanted.has(name)) seen.add(name)
      yield { line, values: name => textsOf(name, Object.hasOwn(value, name) ? value[name] : null) }
    }
    checkNames(options, [...seen])
  }
}

function itemOf(line: number, values: Values, options: CatalogueOptions): CatalogueItem {
  const { eventTimeMs, texts, split } = options
  const [id, another] = values(options.id)
  if (id === undefined || another !== undefined) throw new BadLine(`${options.id}: expected one id of an item`)
  const eventId = `catalogue-${eventTimeMs}-${line}-${id}`
  const record: LogRecords['item'] = { eventId, eventTime: eventTimeMs, id, attributes: {}, numbers: {} }
  for (const name of OWN) {
    const own = values(name)
    if (own.length > 0) record[name] = own.join(', ')
  }
  for (const name of options.attributes) {
    const parts = values(name).flatMap(text => (split === undefined ? text : text.split(split)))
    const found = parts.map(part => part.trim()).filter(part => part !== '')
    if (found.length > 0) Object.assign(record.attributes ?? {}, { [name]: found })
  }
  for (const name of options.numbers) {
    const [text] = values(name)
    if (text === undefined) continue
    const number = parseNumber(text)
    if (number === undefined) throw new BadLine(`${name}: '${text.slice(0, 40)}' is not a number`)
    if (name === 'price') record.price = number
    else Object.assign(record.numbers ?? {}, { [name]: number })
  }
  return { record, text: joinTexts(texts.map(name => values(name).join(', '))) }
}

/** Sentences, those that are there. */
export function joinTexts(parts: readonly string[]): string {
  return parts
    .map(part => part.trim())
    .filter(part => part !== '')
    .join('. ')
}

function textsOf(name: string, value: unknown): string[] {
  if (value === null || value === undefined) return []
  if (Array.isArray(value)) return value.flatMap(one => textsOf(name, one))
  if (typeof value === 'object') throw new BadLine(`${name}: expected a text, a number or a list of them`)
  if (typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value))
    throw new BadLine(`${name}: a number above 2^53 is not read exactly; write it as a text`)
  const text = String(value).trim()
  return text === '' ? [] : [text]
}

function checkNames({ file, required, texts }: CatalogueOptions, there: readonly string[]): void {
  const missing = required.filter(name => !there.includes(name))
  const faults = missing.map(name => {
    const meant = nearest(name, there)
    return `${file}: nothing is called '${name}'${meant === undefined ? `; it has ${there.slice(0, 30).join(', ')}` : `, did you mean '${meant}'?`}`
  })
  if (missing.length === 0 && texts.every(name => !there.includes(name)))
    faults.push(`${file}: none of ${texts.join(', ')} is there to be embedded; it has ${there.slice(0, 30).join(', ')}`)
  if (faults.length > 0) throw new MillraceError('IMPORT_INVALID', faults.join('\n'))
}

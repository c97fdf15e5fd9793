/** Options of `embed` that say how a catalogue is read. */
import { statSync } from 'node:fs'
import type { Command } from 'commander'
import { MillraceError } from '../domain/errors.js'
import type { CatalogueOptions } from '../import/catalogue.js'
import { parseTime } from '../import/values.js'

export interface CatalogueFlags {
  id?: string
  attributes?: string
  numbers?: string
  split?: string
  lines?: string
  delimiter?: string
  quotes: boolean
  time?: string
  skipBad?: true
}

/** None of them has a default of its own: given for a log, they are a mistake. */
export function addCatalogueOptions(command: Command): Command {
  return command
    .option('--id <name>', "catalogue: column or key of the item's id (default: id)")
    .option('--attributes <names>', 'catalogue: columns or keys that become attributes of the profile')
    .option('--numbers <names>', 'catalogue: columns or keys that become numbers of the profile, such as price')
    .option('--split <text>', 'catalogue: what is between several values of an attribute, such as ,')
    .option('--lines <format>', 'catalogue: csv or json (default: json if its name has .json, .jsonl or .ndjson)')
    .option('--delimiter <text>', 'CSV: what is between fields (default: a tab if its name has .tsv, else a comma)')
    .option('--no-quotes', 'CSV: quotes belong to the text')
    .option('--time <time>', 'catalogue: when the profiles were so, ISO 8601 (default: when the file was last changed)')
    .option('--skip-bad', 'catalogue: leave out lines that can not be read, and count them')
}

/** The option that says how a catalogue is read, if one was given. */
export function givenForCatalogue({ quotes, ...flags }: CatalogueFlags): string | undefined {
  if (!quotes) return '--no-quotes'
  const names = ['id', 'attributes', 'numbers', 'split', 'lines', 'delimiter', 'time'] as const
  const given = names.find(name => flags[name] !== undefined)
  if (given !== undefined) return `--${given}`
  return flags.skipBad === true ? '--skip-bad' : undefined
}

/** texts: named by the user, or by default; of the latter not all need to be there. USAGE. */
export function catalogueOf(
  file: string,
  texts: { names: readonly string[]; given: boolean },
  flags: CatalogueFlags,
): Omit<CatalogueOptions, 'onBadLine' | 'onShare'> {
  const { id = 'id', split } = flags
  const [attributes, numbers] = [listOf(flags.attributes), listOf(flags.numbers)]
  if (split === '') throw new MillraceError('USAGE', '--split: expected a text')
  return {
    file,
    format: { lines: linesOf(file, flags.lines), delimiter: delimiterOf(file, flags), quote: flags.quotes && '"' },
    id,
    texts: texts.names,
    attributes,
    numbers,
    split,
    required: [...new Set([id, ...(texts.given ? texts.names : []), ...attributes, ...numbers])],
    eventTimeMs: timeOf(file, flags.time),
  }
}

export function listOf(names: string | undefined): string[] {
  return (names ?? '')
    .split(',')
    .map(name => name.trim())
    .filter(name => name !== '')
}

function linesOf(file: string, lines: string | undefined): 'csv' | 'json' {
  if (lines === 'csv' || lines === 'json') return lines
  if (lines !== undefined) throw new MillraceError('USAGE', `--lines: expected csv or json, not '${lines}'`)
  return /\.(json|jsonl|ndjson)(\.gz)?$/i.test(file) ? 'json' : 'csv'
}

function delimiterOf(file: string, { delimiter }: CatalogueFlags): string {
  if (delimiter === '') throw new MillraceError('USAGE', '--delimiter: expected a text')
  return delimiter?.replaceAll('\\t', '\t') ?? (/\.tsv(\.gz)?$/i.test(file) ? '\t' : ',')
}

function timeOf(file: string, time: string | undefined): number {
  const timeMs = time === undefined ? Math.floor(statSync(file).mtimeMs) : parseTime(time, 'iso')
  if (timeMs === undefined) throw new MillraceError('USAGE', `--time: '${time}' is not a time in ISO 8601`)
  return timeMs
}

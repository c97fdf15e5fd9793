/** `--from` and `--until`: which part of the topics of a configuration a command reads. */
import type { Command } from 'commander'
import { loadChecked } from '../app/load-checked.js'
import { PLACE_FORM, parsePlace } from '../config/topic-place.js'
import { MillraceError } from '../domain/errors.js'

export interface RangeOptions {
  set?: string[]
  from?: string
  until?: string
}

export function addRange(command: Command): Command {
  return command
    .option('--from <place>', `topics: where to begin (${PLACE_FORM})`)
    .option('--until <place>', 'topics: where to end; the record at that place is not read')
}

/** The flags as settings of the configuration. USAGE: it reads no topics, or the flag names no place. */
export function rangeSettings(file: string, { set = [], from, until }: RangeOptions): string[] {
  const given = Object.entries({ from, until }).filter((pair): pair is [string, string] => pair[1] !== undefined)
  if (given.length === 0) return []
  if (loadChecked(file, { set }).config.source.kafka === undefined)
    throw new MillraceError('USAGE', `--${given[0]?.[0]} is a place in topics, and ${file} has no source.kafka`)
  return given.map(([name, place]) => {
    if (parsePlace(place) === undefined) throw new MillraceError('USAGE', `--${name} ${place}: expected ${PLACE_FORM}`)
    return `source.kafka.${name}=${JSON.stringify(place)}`
  })
}

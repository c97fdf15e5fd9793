/** Texts of a CSV field as values. undefined means that the text is no such value. */
import type { AttributeMapping, Mapping } from './mapping.js'

const MS_PER_UNIT = { s: 1000, ms: 1, us: 0.001 }
/** A date with no zone is UTC: an import must not depend on where it runs. */
const ISO = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?$/

/** Whole milliseconds since 1970. */
export function parseTime(text: string, unit: Mapping['time']['unit']): number | undefined {
  let timeMs = Number.NaN
  if (unit === 'iso') {
    const form = ISO.exec(text.trim())
    if (form !== null)
      timeMs = Date.parse(
        `${text.trim().replace(' ', 'T').replace(',', '.')}${text.length > 10 && form[1] === undefined ? 'Z' : ''}`,
      )
  } else timeMs = Math.round((parseNumber(text) ?? Number.NaN) * MS_PER_UNIT[unit])
  return Number.isSafeInteger(timeMs) && timeMs >= 0 ? timeMs : undefined
}

export function parseNumber(text: string): number | undefined {
  const value = text.trim() === '' ? Number.NaN : Number(text)
  return Number.isFinite(value) ? value : undefined
}

/** [1, 2.5], 1;2.5 or 1 2.5. An empty field is none. */
export function parseVector(text: string): number[] | undefined {
  const parts = text.replace(/^\s*\[|\]\s*$/g, '').split(/[\s,;]+/)
  const values = parts.filter(part => part !== '').map(parseNumber)
  return values.length > 0 && values.every(value => value !== undefined) ? values : undefined
}

/** Values of an attribute; an empty field has none. Throws on a band of something that is no number. */
export function parseAttribute(text: string, mapping: AttributeMapping): string[] | undefined {
  const parts = mapping.split === undefined ? [text] : text.split(mapping.split)
  const values: string[] = []
  for (const part of parts) {
    const trimmed = part.trim()
    if (trimmed === '') continue
    const short = mapping.first === undefined ? trimmed : trimmed.slice(0, mapping.first)
    const value = mapping.bands === undefined ? short : band(short, mapping.bands)
    if (value === undefined) return undefined
    values.push(value)
  }
  return values
}

/** 27 in [18, 25, 35] → '25-35': from 25 to below 35. */
function band(text: string, bounds: readonly number[]): string | undefined {
  const value = parseNumber(text)
  if (value === undefined) return undefined
  const above = bounds.findIndex(bound => value < bound)
  if (above === 0) return `<${bounds[0]}`
  return above < 0 ? `>=${bounds.at(-1)}` : `${bounds[above - 1]}-${bounds[above]}`
}

/** Results as a table that reads well on a terminal and is Markdown as well. */
import type { Interval } from '../src/evaluate/report/intervals.js'
import type { Row } from './row.js'
import type { Figure, Format } from './verdict.js'

const HEAD = ['what', 'measured', 'reach', 'strive for', 'verdict']

export function tableText(rows: readonly Row[]): string {
  const cells = rows.map(({ what, figures, verdict, reason }) => [
    what,
    figures.map(figure => named(figures, figure, measuredText(figure))).join(', ') || '–',
    figures.map(reachText).join(', ') || '–',
    figures
      .flatMap(figure => (figure.limit.strive === undefined ? [] : [limitText(figure, figure.limit.strive)]))
      .join(', ') || '–',
    reason === undefined ? verdict : `${verdict}: ${reason}`,
  ])
  const lines = [HEAD, ...cells]
  const widths = HEAD.map((_, column) => Math.max(...lines.map(line => line[column]?.length ?? 0)))
  const line = (texts: readonly string[]) => `| ${texts.map((text, at) => text.padEnd(widths[at] ?? 0)).join(' | ')} |`
  return [line(HEAD), `|${widths.map(width => '-'.repeat(width + 2)).join('|')}|`, ...cells.map(line)].join('\n')
}

/** Median and range of how many runs; of seeds the mean with its intervals. */
function measuredText({ value, format }: Figure): string {
  if (typeof value === 'number') return valueText(value, format)
  if ('mean' in value) {
    const { mean, interval, users } = value
    const between = ({ low, high }: Interval) => `[${valueText(low, format)}, ${valueText(high, format)}]`
    const intervals = [interval && between(interval), users && `by user ${between(users)}`].filter(Boolean)
    return [valueText(mean, format), ...intervals].join(' ')
  }
  const { median, min, max, runs } = value
  return `${valueText(median, format)} (${valueText(min, format)} to ${valueText(max, format)} in ${runs.length})`
}

function reachText(figure: Figure): string {
  const { limit, format } = figure
  if (limit.better !== 'between') return limitText(figure, limit.reach)
  return limit.reach.map(bound => valueText(bound, format)).join(' to ')
}

function limitText({ limit, format }: Figure, bound: number): string {
  return `${limit.better === 'higher' ? '≥' : '≤'} ${valueText(bound, format)}`
}

function named(figures: readonly Figure[], { name }: Figure, text: string): string {
  return figures.length === 1 ? text : `${name} ${text}`
}

function valueText(value: number, format: Format): string {
  switch (format) {
    case 'count':
      return Math.round(value).toLocaleString('en')
    case 'ratio':
      return value.toFixed(2)
    case 'percent':
      return `${value.toFixed(1)} %`
    case 'score':
      return value.toFixed(4)
    case 'seconds':
      return `${value.toFixed(2)} s`
    case 'micros':
      return `${value.toFixed(1)} µs`
    case 'bytes':
      return `${value.toFixed(1)} B`
  }
}

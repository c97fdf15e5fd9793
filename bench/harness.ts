/**
 * Measures rows, prints the table of the numbers to reach with a verdict a row, and writes everything
 * as JSON. A row that fails says why and does not stop the others. The file is written after each row, so that a long
 * run that is interrupted is not lost.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { createForecast, inLanes, type Plan } from './lanes.js'
import { describeMachine, loadAverage, withoutPaths } from './machine.js'
import { type Context, NotMeasured, type Row, type RowDefinition } from './row.js'
import { tableText } from './table-text.js'
import { verdictOf } from './verdict.js'

export interface HarnessOptions {
  only: readonly string[] | undefined
  json: boolean
  /** Where the JSON goes. */
  out: string
  /** Default: one after another. */
  plan?: Plan
}

export async function measureRows(
  definitions: readonly RowDefinition[],
  context: Context,
  options: HarnessOptions,
): Promise<void> {
  const began = new Date()
  const loadBefore = loadAverage()
  const { plan = { lanes: 1, seconds: new Map() } } = options
  const found = new Map<string, Row>()
  const isLeftOut = ({ slow }: RowDefinition) => slow === true && context.quick && options.only === undefined
  const wanted = definitions.filter(({ name }) => options.only?.includes(name) ?? true)
  const measurable = wanted.filter(row => !isLeftOut(row))
  for (const { name, what } of wanted.filter(isLeftOut))
    found.set(name, { name, what, figures: [], verdict: 'not measured', reason: 'takes too long for --quick' })
  const forecast = createForecast(measurable, plan)
  let begun = 0
  await inLanes(measurable, plan, async row => {
    context.say(`row ${++begun} of ${measurable.length}: ${row.name}${forecast.text()}`)
    forecast.begin(row.name)
    found.set(row.name, await measured(row))
    forecast.end(row.name)
    write()
  })
  console.log(options.json ? json() : text())

  async function measured({ name, what, measure }: RowDefinition): Promise<Row> {
    const start = performance.now()
    try {
      const { figures, details, notes } = await measure(context)
      const seconds = (performance.now() - start) / 1000
      return { name, what, figures, verdict: verdictOf(figures), seconds, details, ...(notes && { notes }) }
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      if (!(error instanceof NotMeasured)) context.say(`${name} failed: ${message}`)
      return { name, what, figures: [], verdict: 'not measured', reason: withoutPaths(message) }
    }
  }

  /** In the order of the table, so many as there are. */
  function rowsFound(): Row[] {
    return wanted.flatMap(({ name }) => found.get(name) ?? [])
  }

  function results() {
    const seconds = Math.round((Date.now() - began.getTime()) / 1000)
    return {
      date: began.toISOString().slice(0, 10),
      quick: context.quick,
      machine: describeMachine(),
      loadAverage: { before: loadBefore, after: loadAverage() },
      seconds,
      lanes: plan.lanes,
      rows: rowsFound(),
    }
  }

  function write(): void {
    mkdirSync(dirname(resolve(options.out)), { recursive: true })
    writeFileSync(options.out, `${json()}\n`)
  }

  function json(): string {
    return JSON.stringify(results(), rounded, 2)
  }

  function text(): string {
    const { machine, loadAverage: load, seconds, rows } = results()
    const { cpu, cores, memoryGiB, node, platform } = machine
    const notes = rows.flatMap(row => (row.notes === undefined ? [] : [`\n\n${row.notes}`])).join('')
    return `${context.quick ? 'Quick: small sizes and few runs, the verdicts say little.\n\n' : ''}${tableText(rows)}

${cpu}, ${cores} cores, ${memoryGiB} GiB, ${platform}, Node ${node}; load average before ${load.before.join(' ')}, after ${load.after.join(' ')}; ${seconds} s
(least to greatest in so many runs) of a repeated measurement, whose median it is; [Student's interval of 95 %] of a mean of seeds; by user: what other users would give, of the first seed.${notes}`
  }
}

/** Exits with the help, where an unknown row was asked for or the help itself. */
export function checkNames(
  definitions: readonly RowDefinition[],
  only: readonly string[] | undefined,
  isHelp: boolean,
  help: string,
): void {
  const unknown = only?.find(name => definitions.every(row => row.name !== name))
  if (!isHelp && unknown === undefined) return
  if (unknown !== undefined) console.error(`there is no row '${unknown}'`)
  console.error(help.replace('NAMES', definitions.map(({ name }) => name).join(', ')))
  process.exit(unknown === undefined ? 0 : 2)
}

/** Enough digits for any purpose, and a readable file. */
function rounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(6)) : value
}

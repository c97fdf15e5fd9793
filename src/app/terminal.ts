/** What a command shows on the terminal, in one place: progress on standard error, results on standard output. */
import type { Environment } from '../config/load.js'
import type { RunReport } from '../evaluate/report/report.js'
import { summariseRuns } from '../evaluate/report/summary.js'
import { renderTerminal } from '../evaluate/report/terminal.js'

export function printReports(
  reports: readonly [RunReport, ...RunReport[]],
  options: { json: boolean; env: Environment; next: readonly { label: string; target: string }[] },
): void {
  if (options.json) {
    process.stdout.write(`${JSON.stringify(summariseRuns(reports), null, 2)}\n`)
    return
  }
  const { columns, isTTY } = process.stdout
  const colour = isTTY === true && options.env.NO_COLOR === undefined
  process.stdout.write(
    `${renderTerminal(reports, { colour, ...(columns === undefined ? {} : { columns }), next: options.next })}\n`,
  )
}

import { Command } from 'commander'
import { describeNewest, type SnapshotDescription } from '../app/describe-snapshots.js'
import { loadChecked } from '../app/load-checked.js'
import { renderTable } from '../evaluate/report/text-table.js'
import { systemClock } from '../std/clock.js'
import { formatDuration } from '../std/duration.js'

export function snapshotsCommand(): Command {
  return new Command('snapshots')
    .description('Reconstruct the newest published model from full snapshots and deltas, verify it, and describe it.')
    .argument('<file>', 'the YAML configuration whose output is read: a folder of files or a topic')
    .option('--set <key=value...>', 'change keys, such as --set outputs.path=out')
    .option('--json', 'print the result as JSON')
    .action(async (file: string, options: { set?: string[]; json?: true }) => {
      const found = await describeNewest(loadChecked(file, options), systemClock)
      process.stdout.write(options.json ? `${JSON.stringify(found, null, 2)}\n` : text(found))
    })
}

const number = (value: number) => value.toLocaleString('en-US', { maximumFractionDigits: 4 })

function text(found: SnapshotDescription): string {
  const { version, place, full, deltas, chainBytes, eventTime, ageMs, configHash, isOfConfiguration, offsets } = found
  const { metrics, parts, seen } = found
  const age = ageMs < 0 ? 'ahead of the clock' : `${formatDuration(Math.floor(ageMs / 1000) * 1000)} ago`
  const own = isOfConfiguration ? 'that of this file' : 'not that of this file'
  const lines = [
    `version ${number(version)} in ${place}: whole and verified`,
    `  event time     ${eventTime}, ${age}`,
    `  rests on       full ${number(full)} and ${number(deltas)} deltas, ${number(chainBytes)} bytes`,
    `  configuration  ${configHash}, ${own}`,
    `  has seen       ${offsets.map(({ partition, offset }) => `${partition} up to ${offset}`).join(', ')}`,
    `  metrics        ${Object.entries(metrics)
      .map(([name, value]) => `${name} ${number(value)}`)
      .join(', ')}`,
  ]
  if (seen.gaps > 0) lines.push(`  ${number(seen.gaps)} of ${number(seen.versions)} versions before it can not be had`)
  if (seen.isMoreComing) lines.push('  another version has begun behind it')
  const plain = (cell: string) => ({ text: cell, style: (styled: string) => styled })
  const table = renderTable(
    ['part', 'encoding', 'rows', 'bytes', 'changed last', 'removed last'],
    parts.map(({ name, form, encoding, rows, bytes, changed, removed }) =>
      (form === 'rows'
        ? [name, encoding, number(rows), number(bytes), number(changed), number(removed)]
        : [name, encoding, '–', number(bytes), '–', '–']
      ).map(plain),
    ),
    { left: 2, headerStyle: title => title },
  )
  return `${lines.join('\n')}\n\n${table}\n`
}

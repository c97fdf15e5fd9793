/** docs/errors.md: what stops a run, and what only costs a record. Derived, so that no code can lack its explanation. */
import { ERRORS } from './errors.js'
import type { DropReason, RejectReason } from './outcome.js'

const DROPS: Record<DropReason, string> = {
  duplicate: 'An event with the same kind and id came within `join.duplicateWindow`.',
  late: 'The record is behind the watermark and `join.late` is `drop`.',
  capacity:
    '`join.maxWaiting` impressions, or 65,536 positives, were waiting: the oldest was decided early, with what was known by then.',
  organic:
    'A click, buy or rating that no impression explains, and `join.organic` is `drop`, or `funnel` and no task is given it.',
  erased: 'An impression, or a positive without one, that still waited when its user was erased.',
  tombstone: 'A Kafka message without a value: it deletes a key from a compacted topic and tells no event.',
}

const REJECTS: Record<RejectReason, string> = {
  undecodable: 'The bytes are not the record that the schema says.',
  'schema-incompatible': "The writer's schema can not be read as ours.",
  'unknown-event': 'A record type that is none of `schemas/*.avsc`.',
  'invalid-id': 'An id is empty, longer than `source.maxIdBytes`, or not valid UTF-8.',
  'invalid-time': 'The event time is before 1970, or after the year 2199, or beyond 2^53.',
  'future-time': 'The event time is more than `join.maxFuture` ahead, and the records behind it contradict it.',
  'invalid-number': 'A number is NaN, infinite or out of its range.',
  'too-large': 'The record is larger than `source.maxDecodeBytes`, or a list in it beyond its limit.',
  'corrupt-block':
    'A stretch of a segment fails its checks: its first bytes (at most 1 MiB) are one dead letter, and reading goes on at the next block that is whole.',
}

export function errorsMarkdown(): string {
  const errors = Object.entries(ERRORS).map(
    ([code, { exitCode, title, remedy }]) => `| \`${code}\` | ${exitCode} | ${title} | ${remedy} |`,
  )
  return `# Errors

Generated from \`src/domain/errors.ts\` and \`src/domain/outcome.ts\` by \`npm run generate\`; do not edit.

## What stops a run

One line on standard error names the code, the place and the remedy; the process ends with the exit code. A run that
wrote a checkpoint goes on from there when it is started again. SIGTERM and SIGINT are no errors: the batch is finished, a
checkpoint is written, and the exit code is 0; a second signal ends the process at once (143, 130).

| code | exit code | what | remedy |
| --- | --- | --- | --- |
${errors.join('\n')}

## What only costs a record

A record that can not be used never stops a run. It goes to the output \`dead-letters\` byte for byte, with partition, offset,
the schema that it was written with, one of these reasons, and a message for people:

| reason | what |
| --- | --- |
${rows(REJECTS)}

Others are left out by rule, and counted:

| reason | what |
| --- | --- |
${rows(DROPS)}
`
}

function rows(table: Record<string, string>): string {
  return Object.entries(table)
    .map(([reason, text]) => `| \`${reason}\` | ${text} |`)
    .join('\n')
}

import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import avro from 'avsc'
import { replay } from '../../src/index.js'
import { packageRoot } from '../../src/std/package-root.js'

// # 1. An event log and its replay
//
// A log is a folder. In it are partitions, `p00`, `p01` and so on; in a partition are segments, which are Avro
// object-container files. Kafka users will recognise it: the events of one user always lie in the same partition, in order.
//
// ```
// log/
//   p00/
//     00000000000000000000.avro     named by the offset of its first record
//   p01/
//     00000000000000000000.avro
// ```
//
// Any tool that writes Avro can make one. A segment may hold one kind of event or, as a union, several. Here are four
// events by the schemas of this package: a user sees two films, clicks the first, and is shown a third.

const folder = mkdtempSync(join(tmpdir(), 'millrace-guide-'))
after(() => rmSync(folder, { recursive: true }))

const schema = (name: string) => JSON.parse(readFileSync(join(packageRoot(), 'schemas', `${name}.avsc`), 'utf8'))
const minutes = (n: number) => Date.UTC(2026, 0, 1) + n * 60_000
const events = [
  { 'millrace.event.Impression': { eventId: 'a', eventTime: minutes(0), user: 'ada', item: 'alien' } },
  { 'millrace.event.Impression': { eventId: 'b', eventTime: minutes(0), user: 'ada', item: 'brazil' } },
  { 'millrace.event.Click': { eventId: 'c', eventTime: minutes(1), user: 'ada', item: 'alien' } },
  { 'millrace.event.Impression': { eventId: 'd', eventTime: minutes(60), user: 'ada', item: 'casablanca' } },
]

test('any Avro writer makes a log', async () => {
  mkdirSync(join(folder, 'log/p00'), { recursive: true })
  const file = join(folder, 'log/p00/00000000000000000000.avro')
  const encoder = avro.createFileEncoder(file, [schema('impression'), schema('click')])
  for (const event of events) encoder.write(event)
  await new Promise(resolve => encoder.end(resolve))
})

// A configuration says what to learn from it. Only tasks and slots are needed; `millrace config docs` explains the rest.

writeFileSync(
  join(folder, 'films.yaml'),
  `
name: films
source: { log: log }
tasks:
  - { name: click, label: { event: click, window: 30m } }
features:
  slots:
    - { name: user, from: user }
    - { name: item, from: item }
outputs: { path: out }
checkpoint: { path: checkpoints }
`,
)

// `millrace replay films.yaml` learns the log from its first record to its last. The same from a program:

test('a replay learns every impression, and predicts it first', async () => {
  const report = await replay(join(folder, 'films.yaml'), { write: true })
  assert.equal(report.records, 4)

  const [click] = report.tasks
  const all = click?.totals.find(total => total.split === 'all')
  assert.equal(all?.count, 3)
  assert.equal(all?.positives, 1)
})

// Each impression was scored when it arrived, by the model of that moment. `modelVersion` is the number of steps learned by
// then: the first two were scored by a model that knew nothing; when the third came, half an hour had passed, the first two
// were known to be clicked and not clicked, and had made the first step.

test('predictions are an Avro log too', async () => {
  const predictions: { eventId: string; modelVersion: number; values: { click: number } }[] = []
  const file = join(folder, 'out/predictions/00000000000000000000.avro')
  for await (const prediction of avro.createFileDecoder(file)) predictions.push(prediction)

  assert.deepEqual(
    predictions.map(({ eventId, modelVersion }) => [eventId, modelVersion]),
    [
      ['a', 0],
      ['b', 0],
      ['d', 1],
    ],
  )
  assert.ok(predictions.every(({ values }) => values.click > 0 && values.click < 1))
})

// Beside `predictions` lie `metrics`, `snapshots`, `journal`, `recommendations` and `dead-letters`, each a folder of Avro
// segments with the schema of `schemas/`.

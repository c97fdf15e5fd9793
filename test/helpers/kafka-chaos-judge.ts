/**
 * What came out of a run with faults, as an independent reader sees it (confluent-kafka, read_committed):
 * is every prediction there once, is the journal whole; and what a replay along that journal makes of the same topics: is
 * it the same, record by record, and is its model the same, byte by byte.
 */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import avro from 'avsc'
import type { OutputName } from '../../src/sink/delivery.js'
import { TOPIC_SCHEMAS } from '../../src/sink/kafka-outputs.js'
import { readSchemaFile } from '../../src/std/schema-file.js'
import { readContainers } from '../contract/read-containers.js'
import { type ReadRecord, readTopic } from './read-topic.js'

const FRAME_BYTES = 5

export interface Verdict {
  /** Valid impressions that are in the input. */
  expected: number
  predictions: number
  /** Neither predicted nor a dead letter. */
  lost: string[]
  /** Dead letters among them. */
  refused: { eventId: string; reason: string | undefined }[]
  doubled: string[]
  deadLetters: number
  deadLettersDoubled: string[]
  /** Entries; numbers that are missing or there twice. */
  journal: number
  journalFaults: string[]
  /** Outputs that the replay makes differently; checkpoint parts that differ. */
  differing: string[]
  /** Parts of the checkpoint that were compared. */
  parts: number
}

interface JudgeOptions {
  brokers: readonly string[]
  inputs: readonly string[]
  outputs: Readonly<Record<OutputName, string>>
  /** Of the live run and of the replay: their checkpoints, and the replay's outputs. */
  live: string
  replayed: string
  replayedOutputs: string
}

/** Where input records are compared with predictions: made-up ones of the simulation's faults are left out. */
const SOUND_IMPRESSION = /^i\d+$/

export async function judge(options: JudgeOptions): Promise<Verdict> {
  const { brokers, outputs, inputs } = options
  const expected = new Set<string>()
  for (const topic of inputs) {
    for (const { value } of await readTopic(brokers, topic)) {
      const eventId = value === null ? undefined : impressionId(value)
      if (eventId !== undefined) expected.add(eventId)
    }
  }
  const published: Partial<Record<OutputName, string[]>> = {}
  for (const [output, schema] of Object.entries(TOPIC_SCHEMAS) as [keyof typeof TOPIC_SCHEMAS, string][]) {
    const type = avro.Type.forSchema(readSchemaFile(schema as never) as never)
    published[output] = (await readTopic(brokers, outputs[output], { settled: true })).flatMap(({ value }) =>
      value === null ? [] : [textOf(type.fromBuffer(value.subarray(FRAME_BYTES)))],
    )
  }
  const predictions = (published.predictions ?? []).map(text => JSON.parse(text) as { eventId: string; item: string })
  const predicted = new Set(predictions.map(({ eventId }) => eventId))
  const seqs = (published.journal ?? []).map(text => (JSON.parse(text) as { seq: number }).seq)
  const deadLetters = await readTopic(brokers, outputs.deadLetters, { settled: true })
  const letters = deadLetters.map(placeOf)
  const refused = deadLetters.flatMap(letter => {
    const eventId = letter.value === null ? undefined : impressionId(letter.value)
    if (eventId === undefined) return []
    return [{ eventId, reason: headerOf(letter, 'exception.class.name') }]
  })
  const accounted = new Set([...predicted, ...refused.map(({ eventId }) => eventId)])
  const differing: string[] = []
  for (const output of ['predictions', 'recommendations', 'metrics', 'snapshots'] as const) {
    const replayed = (await recordsOf(join(options.replayedOutputs, output))).map(textOf)
    if (!isSame(published[output] ?? [], replayed)) differing.push(`output ${output}`)
  }
  const replayedLetters = (await recordsOf(join(options.replayedOutputs, 'dead-letters'))) as Record<string, string>[]
  if (
    !isSame(
      letters,
      replayedLetters.map(({ partition, offset }) => `${partition}/${offset}`),
    )
  )
    differing.push('output deadLetters')
  const live = partsOf(options.live)
  const replayed = partsOf(options.replayed)
  for (const name of new Set([...Object.keys(live), ...Object.keys(replayed)]))
    if (live[name] !== replayed[name]) differing.push(`checkpoint ${name}`)
  return {
    expected: expected.size,
    predictions: predictions.length,
    lost: [...expected].filter(id => !accounted.has(id)),
    refused,
    doubled: doubles(predictions.map(({ eventId, item }) => `${eventId} of ${item}`)),
    deadLetters: letters.length,
    deadLettersDoubled: doubles(letters),
    journal: seqs.length,
    journalFaults: [...doubles(seqs.map(String)), ...gaps(seqs)],
    differing,
    parts: Object.keys(live).length,
  }
}

/** Event id of a framed impression; undefined: it is something else. By hand, so that our decoder is not its own judge. */
function impressionId(value: Buffer): string | undefined {
  if (value.length < FRAME_BYTES + 2 || value[0] !== 0) return undefined
  const length = value.readUInt8(FRAME_BYTES) / 2
  const id = value.toString('utf8', FRAME_BYTES + 1, FRAME_BYTES + 1 + length)
  return SOUND_IMPRESSION.test(id) && value.readUInt32BE(1) < 1_000_000 ? id : undefined
}

/** Topic, partition and offset of a dead letter's record. */
function placeOf(letter: ReadRecord): string {
  return ['topic', 'partition', 'offset'].map(name => headerOf(letter, name)).join('/')
}

function headerOf({ headers }: ReadRecord, name: string): string | undefined {
  return headers.find(([header]) => header === `__connect.errors.${name}`)?.[1]
}

/** The newest checkpoint: part → checksum. Outputs go elsewhere in a replay, so what they keep is not compared. */
function partsOf(root: string): Record<string, string> {
  const folder = join(
    root,
    readdirSync(root)
      .filter(name => !name.includes('.'))
      .sort()
      .at(-1) ?? '',
  )
  const files = readdirSync(folder).filter(name => !name.startsWith('output-') && !name.startsWith('manifest'))
  return Object.fromEntries(
    files.map(name => [
      name,
      createHash('sha256')
        .update(readFileSync(join(folder, name)))
        .digest('hex'),
    ]),
  )
}

async function recordsOf(folder: string): Promise<unknown[]> {
  const files = readdirSync(folder)
    .sort()
    .map(name => join(folder, name))
  return (await readContainers(files)) as unknown[]
}

/** One text for one content, whatever the order of maps; bytes as their checksum. */
function textOf(record: unknown): string {
  return JSON.stringify(record, (_, value) => {
    if (value?.type === 'Buffer') return createHash('sha256').update(Buffer.from(value.data)).digest('hex')
    if (typeof value === 'bigint') return String(value)
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
    return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
  })
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length) return false
  const [left, right] = [[...a].sort(), [...b].sort()]
  return left.every((one, index) => one === right[index])
}

function doubles(list: readonly string[]): string[] {
  const seen = new Set<string>()
  return list.filter(one => seen.has(one) || !seen.add(one))
}

function gaps(seqs: readonly number[]): string[] {
  const seen = new Set(seqs)
  const last = Math.max(-1, ...seqs)
  return Array.from({ length: last + 1 }, (_, seq) => seq).flatMap(seq => (seen.has(seq) ? [] : [`${seq} is missing`]))
}

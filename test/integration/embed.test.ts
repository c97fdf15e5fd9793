/** `embed` with a real sentence model; scripts/provision-embedding puts it into the cache folder. */
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { type EmbedOptions, embedLog } from '../../src/app/embed-log.js'
import { openSentenceModel } from '../../src/backend/sentence-model.js'
import { embedCommand } from '../../src/commands/embed.js'
import { createDecoderFactory } from '../../src/decode/record-decoder.js'
import type { Event } from '../../src/domain/event.js'
import { createLogWriter } from '../../src/sink/log-writer.js'
import { AvroFileSource } from '../../src/source/avro-file.js'
import { packageRoot } from '../../src/std/package-root.js'

const MODEL = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'millrace/minilm')
const skip = existsSync(join(MODEL, 'model.onnx')) ? false : 'scripts/provision-embedding has not been run'

interface Golden {
  text: string
  tokens: number[]
  embedding: number[]
}

const GOLDEN: Golden[] = JSON.parse(readFileSync(join(packageRoot(), 'test/golden/embedding/minilm.json'), 'utf8'))

function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Array.from(a).reduce((sum, one, at) => sum + one * (b[at] ?? 0), 0)
}

describe('a sentence model', { skip }, () => {
  test('reads the tokens that the Python tokenizer reads, cut at the same place', async () => {
    const model = await openSentenceModel(MODEL, 1)
    for (const { text, tokens } of GOLDEN) assert.deepEqual(model.tokens(text).ids, tokens, text)
    assert.deepEqual(
      GOLDEN.map(({ text }) => model.tokens(text).cut),
      GOLDEN.map(({ tokens }) => tokens.length === model.maxTokens),
    )
    await model.close()
  })

  test('gives the embeddings that float64 gives, alone and in one run with longer and shorter texts', async () => {
    const model = await openSentenceModel(MODEL, 1)
    const together = await model.embed(GOLDEN.map(({ tokens }) => tokens))
    for (const [index, { text, tokens, embedding }] of GOLDEN.entries()) {
      const [alone] = await model.embed([tokens])
      for (const vector of [alone!, together[index]!]) {
        const worst = Math.max(...embedding.map((one, at) => Math.abs(one - vector[at]!)))
        assert.ok(worst < 1e-4, `${text}: ${worst}`)
        assert.ok(Math.abs(cosine(vector, vector) - 1) < 1e-5)
      }
    }
    await model.close()
  })

  test('puts texts of like meaning nearer to each other than to others', async () => {
    const model = await openSentenceModel(MODEL, 1)
    const texts = [
      'Return of the Living Dead',
      'Zombies rise and eat brains',
      'Electric kettle, 1.7 l',
      'A pot to boil water',
    ]
    const [dead, zombies, kettle, pot] = await model.embed(texts.map(text => model.tokens(text).ids))
    assert.ok(cosine(dead!, zombies!) > Math.max(cosine(dead!, kettle!), cosine(dead!, pot!)) + 0.1)
    assert.ok(cosine(kettle!, pot!) > Math.max(cosine(kettle!, dead!), cosine(kettle!, zombies!)) + 0.1)
    await model.close()
  })
})

describe('embed', { skip }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-embed-'))
  after(() => rmSync(folder, { recursive: true, force: true }))

  test('copies a log and gives its items an embedding of their text', async () => {
    const log = join(folder, 'log')
    const writer = createLogWriter({ path: log, partitions: 2 })
    const at = (eventTime: number) => ({ eventId: `e${eventTime}`, eventTime })
    const big = 2n ** 62n + 1n
    writer.write(0, 'item', { ...at(1), id: big, title: GOLDEN[0]!.text, attributes: { genres: ['a', 'b'] } })
    writer.write(1, 'item', { ...at(2), id: 'silent' })
    writer.write(0, 'rating', { ...at(3), user: 7n, item: big, value: 4 })
    writer.write(1, 'item', { ...at(4), id: 'again', text: GOLDEN[0]!.text })
    writer.write(1, 'item', { ...at(5), id: 'long', text: GOLDEN.at(-1)!.text })
    writer.close()
    const progress: number[] = []
    const options: EmbedOptions = {
      ...{ log, model: MODEL, fields: ['title', 'text'], batch: 2, threads: 1 },
      onProgress: records => progress.push(records),
    }
    const summary = await embedLog(options, join(folder, 'embedded'))
    assert.deepEqual(summary, {
      ...{ records: 5, items: 4, texts: 2, cut: 1, maxTokens: 128, without: 1, size: 384 },
      rejected: {},
    })
    assert.equal(progress.at(-1), 5)
    const [before, later] = [await eventsOf(log), await eventsOf(join(folder, 'embedded'))]
    const without = (events: Event[]) => events.map(event => ({ ...event, embedding: null }))
    assert.deepEqual(without(later), without(before))
    const embeddings = later.map(event => ('embedding' in event ? event.embedding : null))
    assert.deepEqual(
      embeddings.map(vector => vector?.length),
      [384, undefined, undefined, 384, 384],
    )
    assert.deepEqual(embeddings[3], embeddings[0], 'the same text has the same embedding')
    assert.ok(GOLDEN[0]!.embedding.every((one, index) => Math.abs(one - embeddings[0]![index]!) < 1e-4))
  })

  test('gives items a further embedding by name, and leaves them those that they have', async () => {
    const log = join(folder, 'named')
    const writer = createLogWriter({ path: log, partitions: 1 })
    const item = { eventId: 'e', eventTime: 1, id: 'kettle', embedding: [1, 2], embeddings: { photo: [3], text: [4] } }
    writer.write(0, 'item', { ...item, title: 'Kettle' })
    writer.close()
    const options: EmbedOptions = {
      log,
      model: MODEL,
      fields: ['title'],
      as: 'text',
      batch: 2,
      threads: 1,
      onProgress() {},
    }
    await embedLog(options, join(folder, 'named-embedded'))
    const [event] = await eventsOf(join(folder, 'named-embedded'))
    assert.ok(event !== undefined && 'embeddings' in event)
    assert.deepEqual([event.embedding, event.embeddings?.photo, event.embeddings?.text?.length], [[1, 2], [3], 384])
  })

  test('makes a log of a catalogue before there is any other, the same of CSV and of JSON lines', async () => {
    const described = GOLDEN.filter(({ text }) => text !== '')
    const rows = described.map(({ text }, at) => ({ sku: `k${at}`, title: text, colour: 'red', price: at }))
    const [csv, json] = [join(folder, 'feed.csv.gz'), join(folder, 'feed.jsonl')]
    const lines = rows.map(row => Object.values(row).map(value => `"${String(value).replaceAll('"', '""')}"`))
    writeFileSync(csv, gzipSync(`sku,title,colour,price\n${lines.join('\n')}\nsilent,,,\n`))
    writeFileSync(json, [{}, ...rows, { sku: 'silent' }].map(row => JSON.stringify(row)).join('\n'))
    utimesSync(csv, 5, 5)
    const embed = async (file: string, ...more: string[]) => {
      const log = join(folder, `of-${file.split('.').at(-1)}`)
      const fixed = ['--model', MODEL, '--log', log, '--force', '--id', 'sku', '--text', 'title', '--numbers', 'price']
      await embedCommand().parseAsync([file, ...fixed, '--attributes', 'colour', ...more], { from: 'user' })
      return eventsOf(log)
    }
    const ofCsv = await embed(csv)
    assert.deepEqual(
      ofCsv.map(event => event.kind === 'item' && [event.id, event.eventTimeMs, event.embedding?.length]),
      [...described.map((_, at) => [`k${at}`, 5000, 384]), ['silent', 5000, undefined]],
    )
    for (const [at, { embedding }] of described.entries()) {
      const event = ofCsv[at]
      assert.ok(event?.kind === 'item' && event.numbers.price === at && event.attributes.colour?.[0] === 'red')
      assert.ok(embedding.every((one, index) => Math.abs(one - (event.embedding?.[index] ?? 9)) < 1e-4))
    }
    await assert.rejects(embed(json), { code: 'IMPORT_INVALID', message: /feed\.jsonl:1: sku: expected one id/ })
    const ofJson = await embed(json, '--skip-bad', '--time', '1970-01-01T00:00:05Z')
    assert.deepEqual(ofJson, ofCsv)
  })

  test('options for a catalogue are refused for a log, and names that a catalogue lacks for a catalogue', async () => {
    const file = join(folder, 'small.csv')
    writeFileSync(file, 'id,name\n1,Kettle\n')
    const embed = (...args: string[]) =>
      embedCommand().parseAsync([...args, '--model', MODEL, '--log', join(folder, 'never')], { from: 'user' })
    await assert.rejects(embed(folder, '--id', 'sku'), { code: 'USAGE', message: /^--id is for a catalogue/ })
    await assert.rejects(embed(file), { code: 'IMPORT_INVALID', message: /it has id, name$/ })
    await assert.rejects(embed(file, '--text', 'nme'), { code: 'IMPORT_INVALID', message: /did you mean 'name'/ })
  })

  test('a folder without a model is refused before anything is read', async () => {
    const options = { log: folder, model: folder, fields: ['title'], batch: 2, threads: 1, onProgress() {} }
    await assert.rejects(embedLog(options, join(folder, 'none')), { code: 'USAGE', message: /has no model\.onnx/ })
  })
})

async function eventsOf(path: string): Promise<Event[]> {
  const limits = { maxDecodeBytes: 1 << 20, maxIdBytes: 512 }
  const source = new AvroFileSource({ path, decoderFor: createDecoderFactory(limits) })
  await source.open([])
  const events: Event[] = []
  for (let batch = await source.next(); batch !== undefined; batch = await source.next()) {
    for (const { outcome } of batch) {
      assert.ok(outcome.kind === 'ok')
      events.push(outcome.value)
    }
  }
  await source.close()
  return events
}

/**
 * `embed`: an event log → the same log, in which item profiles have an embedding of their text. Order, partitions and
 * everything else of the events stay; ids that are longs stay longs. The log is rewritten by our newest schemas.
 *
 * Texts are embedded a few at a time, those of like length together, and each only once while it is remembered. So the
 * result is a function of the log, the model and the options; a text's last bits may depend on its neighbours.
 */
import type avro from 'avsc'
import { openSentenceModel, type SentenceModel } from '../backend/sentence-model.js'
import { createDecoderFactory } from '../decode/record-decoder.js'
import { MillraceError } from '../domain/errors.js'
import type { EventKind } from '../domain/event.js'
import { createLogWriter } from '../sink/log-writer.js'
import type { LogRecords } from '../sink/sink.js'
import { AvroFileSource } from '../source/avro-file.js'
import type { SourceRecord } from '../source/source.js'
import { idKeepingType } from '../std/avro-long.js'
import { readSchemaFile } from '../std/schema-file.js'
import type { MakingProgress } from './prepare-log.js'

export interface EmbedOptions {
  /** Folder of the log that is read. */
  log: string
  /** Folder of the model, see backend/sentence-model.ts. */
  model: string
  /** Fields and attributes of an item whose texts are joined, in this order. */
  fields: readonly string[]
  /** Name among the items' embeddings; absent: `embedding`. */
  as?: string | undefined
  /** Texts a run of the model. */
  batch: number
  threads: number
  onProgress: MakingProgress
}

export interface EmbedSummary {
  records: number
  items: number
  /** Different texts that were embedded. */
  texts: number
  /** Of them cut, and at how many tokens. */
  cut: number
  maxTokens: number
  /** Items without a text: their embedding is left as it was. */
  without: number
  /** Numbers an embedding; 0 if there was none. */
  size: number
  /** Records that can not be read, by reason: they are left out. */
  rejected: Record<string, number>
}

type Item = LogRecords['item']

/** Vectors kept for texts that occur again; about 60 MB of a small model. */
const REMEMBERED = 20_000
const LIMITS = { maxDecodeBytes: 1 << 24, maxIdBytes: 1 << 16 }

/** path: folder of the new log, which is there and empty. LOG_NOT_FOUND, USAGE (the model). */
export async function embedLog(options: EmbedOptions, path: string): Promise<EmbedSummary> {
  const model = await openSentenceModel(options.model, options.threads)
  const source = new AvroFileSource({ path: options.log, decoderFor: createDecoderFactory(LIMITS) })
  try {
    await source.open([])
    const writer = createLogWriter({ path, partitions: source.partitions.length })
    const embedder = new Embedder(model, options)
    const summary: EmbedSummary = {
      ...{ records: 0, items: 0, texts: 0, cut: 0, without: 0, size: 0 },
      maxTokens: model.maxTokens,
      rejected: {},
    }
    const read = createReader()
    for (let batch = await source.next(); batch !== undefined; batch = await source.next()) {
      const written = batch.flatMap(record => {
        const { outcome } = record
        if (outcome.kind === 'ok')
          return [{ partition: record.partition, kind: outcome.value.kind, event: read(record) }]
        const reason = outcome.kind === 'reject' ? outcome.reason : 'dropped'
        summary.rejected[reason] = (summary.rejected[reason] ?? 0) + 1
        return []
      })
      await embedder.fill(written.flatMap(({ kind, event }) => (kind === 'item' ? [event as unknown as Item] : [])))
      for (const { partition, kind, event } of written) writer.write(partition, kind, event as never)
      summary.records += written.length
      Object.assign(summary, embedder.counts)
      options.onProgress(summary.records, source.progress() ?? 0)
    }
    writer.close()
    return summary
  } finally {
    await source.close()
    await model.close()
  }
}

class Embedder {
  readonly counts = { items: 0, texts: 0, cut: 0, without: 0, size: 0 }
  readonly #model: SentenceModel
  readonly #fields: readonly string[]
  readonly #batch: number
  readonly #as: string | undefined
  readonly #known = new Map<string, Float32Array>()

  constructor(model: SentenceModel, { fields, batch, as }: EmbedOptions) {
    this.#model = model
    this.#fields = fields
    this.#batch = batch
    this.#as = as
  }

  /** Gives items that have a text its embedding. */
  async fill(items: readonly Item[]): Promise<void> {
    const texts = items.map(item => textOf(item, this.#fields))
    await this.#learn([...new Set(texts)].filter(text => text !== '' && !this.#known.has(text)))
    for (const [index, item] of items.entries()) {
      const vector = this.#known.get(texts[index] ?? '')
      this.counts.items++
      if (vector === undefined) this.counts.without++
      else if (this.#as === undefined) item.embedding = Array.from(vector)
      else item.embeddings = { ...item.embeddings, [this.#as]: Array.from(vector) }
    }
    if (this.#known.size > REMEMBERED) this.#known.clear()
  }

  async #learn(texts: readonly string[]): Promise<void> {
    const read = texts.map(text => ({ text, ...this.#model.tokens(text) }))
    this.counts.texts += read.length
    this.counts.cut += read.filter(({ cut }) => cut).length
    read.sort((a, b) => a.ids.length - b.ids.length)
    for (let from = 0; from < read.length; from += this.#batch) {
      const some = read.slice(from, from + this.#batch)
      const vectors = await this.#model.embed(some.map(({ ids }) => ids))
      for (const [index, { text }] of some.entries()) {
        const vector = vectors[index]
        if (vector === undefined) throw new MillraceError('INTERNAL', 'the model gave fewer vectors than texts')
        this.#known.set(text, vector)
        this.counts.size = vector.length
      }
    }
  }
}

/** The fields that are there, in order: sentences; values of an attribute: a list. '' if there is none. */
export function textOf(item: Item, fields: readonly string[]): string {
  const own = item as unknown as Record<string, unknown>
  const parts = fields.map(field => {
    const values = item.attributes?.[field]
    const value = typeof own[field] === 'string' ? own[field] : (values?.join(', ') ?? '')
    return value.trim()
  })
  return parts.filter(part => part !== '').join('. ')
}

/** Records as the log writer takes them, whatever schema they were written by; times in milliseconds. */
function createReader(): (record: SourceRecord) => Record<string, unknown> {
  const types = new Map<EventKind, avro.Type>()
  const resolvers = new Map<string, avro.Resolver>()
  return ({ outcome, data, start, end, schema }) => {
    if (outcome.kind !== 'ok' || schema === undefined)
      throw new MillraceError('INTERNAL', 'only good records are copied')
    const { kind, eventTimeMs } = outcome.value
    const type = types.get(kind) ?? idKeepingType(readSchemaFile(kind))
    types.set(kind, type)
    const key = `${kind} ${schema}`
    const resolver =
      resolvers.get(key) ?? type.createResolver(idKeepingType(JSON.parse(schema)), { ignoreNamespaces: true })
    resolvers.set(key, resolver)
    const body = Buffer.from(data.buffer, data.byteOffset + start, end - start)
    return { ...type.fromBuffer(body, resolver), eventTime: eventTimeMs }
  }
}

/**
 * `embed`: an event log → the same log, in which item profiles have an embedding of their text. Order, partitions and
 * everything else of the events stay; ids that are longs stay longs. The log is rewritten by our newest schemas.
 * The result is a function of the log, the model and the options.
 */
import type avro from 'avsc'
import { openSentenceModel } from '../backend/sentence-model.js'
import { createDecoderFactory } from '../decode/record-decoder.js'
import { MillraceError } from '../domain/errors.js'
import type { EventKind } from '../domain/event.js'
import { joinTexts } from '../import/catalogue.js'
import { createLogWriter } from '../sink/log-writer.js'
import type { LogRecords } from '../sink/sink.js'
import { AvroFileSource } from '../source/avro-file.js'
import type { SourceRecord } from '../source/source.js'
import { idKeepingType } from '../std/avro-long.js'
import { readSchemaFile } from '../std/schema-file.js'
import { type EmbedCounts, Embedder, type EmbedderOptions } from './embedder.js'
import type { MakingProgress } from './prepare-log.js'

export interface EmbedOptions extends EmbedderOptions {
  /** Folder of the log that is read. */
  log: string
  /** Fields and attributes of an item whose texts are joined, in this order. */
  fields: readonly string[]
  onProgress: MakingProgress
}

export interface EmbedSummary extends EmbedCounts {
  records: number
  /** A text is cut at so many. */
  maxTokens: number
  /** Records that can not be read, by reason: they are left out. */
  rejected: Record<string, number>
}

type Item = LogRecords['item']

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
      const items = written.flatMap(({ kind, event }) => (kind === 'item' ? [event as unknown as Item] : []))
      await embedder.fill(items.map(record => ({ record, text: textOf(record, options.fields) })))
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

/** The fields that are there, in order: sentences; values of an attribute: a list. '' if there is none. */
export function textOf(item: Item, fields: readonly string[]): string {
  const own = item as unknown as Record<string, unknown>
  const parts = fields.map(field => {
    const values = item.attributes?.[field]
    return typeof own[field] === 'string' ? own[field] : (values?.join(', ') ?? '')
  })
  return joinTexts(parts)
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

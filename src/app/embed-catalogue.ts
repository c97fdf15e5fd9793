/**
 * `embed` of a catalogue: a CSV or JSON-lines file → an event log of item profiles, each with an embedding of its text.
 * A few hundred lines are in memory at a time. The result is a function of the file, the model and the options.
 */
import { openSentenceModel } from '../backend/sentence-model.js'
import { MillraceError } from '../domain/errors.js'
import { type CatalogueItem, type CatalogueOptions, readCatalogue } from '../import/catalogue.js'
import { createLogWriter } from '../sink/log-writer.js'
import { type EmbedCounts, Embedder, type EmbedderOptions } from './embedder.js'
import type { MakingProgress } from './prepare-log.js'

export interface EmbedCatalogueOptions extends EmbedderOptions {
  catalogue: Omit<CatalogueOptions, 'onBadLine' | 'onShare'>
  /** Leave out lines that can not be read, instead of stopping at the first. */
  skipBad: boolean
  onProgress: MakingProgress
}

export interface EmbedCatalogueSummary extends EmbedCounts {
  records: number
  maxTokens: number
  badLines: number
  /** The first of them. */
  examples: { line: number; message: string }[]
}

/** Texts of like length are embedded together, among so many. */
const AT_ONCE = 512
const EXAMPLES = 10

/** path: folder of the new log, which is there and empty. IMPORT_INVALID (with file:line), USAGE (the model). */
export async function embedCatalogue(options: EmbedCatalogueOptions, path: string): Promise<EmbedCatalogueSummary> {
  const { catalogue, skipBad, onProgress } = options
  const model = await openSentenceModel(options.model, options.threads)
  try {
    const writer = createLogWriter({ path, partitions: 1 })
    const embedder = new Embedder(model, options)
    const examples: { line: number; message: string }[] = []
    let [records, badLines, share] = [0, 0, 0]
    let waiting: CatalogueItem[] = []
    const items = readCatalogue({
      ...catalogue,
      onBadLine(line, message) {
        if (!skipBad) throw new MillraceError('IMPORT_INVALID', `${catalogue.file}:${line}: ${message}`)
        if (badLines++ < EXAMPLES) examples.push({ line, message })
      },
      onShare(read) {
        share = read
      },
    })
    for await (const item of items) {
      waiting.push(item)
      if (waiting.length === AT_ONCE) await write()
    }
    await write()
    writer.close()
    return { records, ...embedder.counts, maxTokens: model.maxTokens, badLines, examples }

    async function write(): Promise<void> {
      await embedder.fill(waiting)
      for (const { record } of waiting) writer.write(0, 'item', record)
      records += waiting.length
      waiting = []
      onProgress(records, share)
    }
  } finally {
    await model.close()
  }
}

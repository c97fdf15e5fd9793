/**
 * Gives item profiles an embedding of their text. Texts are embedded a few at a time, those of like length together, and
 * each only once while it is remembered; so a text's last bits may depend on its neighbours.
 */
import type { SentenceModel } from '../backend/sentence-model.js'
import { MillraceError } from '../domain/errors.js'
import type { LogRecords } from '../sink/sink.js'

export interface EmbedderOptions {
  /** Folder of the model, see backend/sentence-model.ts. */
  model: string
  /** Name among the items' embeddings; absent: `embedding`. */
  as?: string | undefined
  /** Texts a run of the model. */
  batch: number
  threads: number
}

export interface EmbedCounts {
  items: number
  /** Different texts that were embedded. */
  texts: number
  /** Of them cut. */
  cut: number
  /** Items without a text: their embedding is left as it was. */
  without: number
  /** Numbers an embedding; 0 if there was none. */
  size: number
}

export interface DescribedItem {
  record: LogRecords['item']
  /** '' if it has none. */
  text: string
}

/** Vectors kept for texts that occur again; about 60 MB of a small model. */
const REMEMBERED = 20_000

export class Embedder {
  readonly counts: EmbedCounts = { items: 0, texts: 0, cut: 0, without: 0, size: 0 }
  readonly #model: SentenceModel
  readonly #batch: number
  readonly #as: string | undefined
  readonly #known = new Map<string, Float32Array>()

  constructor(model: SentenceModel, { batch, as }: EmbedderOptions) {
    this.#model = model
    this.#batch = batch
    this.#as = as
  }

  /** Gives items that have a text its embedding. */
  async fill(items: readonly DescribedItem[]): Promise<void> {
    const texts = new Set(items.map(({ text }) => text))
    await this.#learn([...texts].filter(text => text !== '' && !this.#known.has(text)))
    for (const { record, text } of items) {
      const vector = this.#known.get(text)
      this.counts.items++
      if (vector === undefined) this.counts.without++
      else if (this.#as === undefined) record.embedding = Array.from(vector)
      else record.embeddings = { ...record.embeddings, [this.#as]: Array.from(vector) }
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

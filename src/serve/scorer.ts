/**
 * Scores with what a learner has published, by the learner's own code: features of the candidates as of the version's
 * keyed state, the predictor, the order of the heads' values, top-N. Nothing is learned and no state of the model moves.
 *
 * One request at a time: the parts have buffers of their own, and a request in the middle must not see a version change.
 * Work that waits is done in the order of its coming; idle() resolves when there is none.
 */
import type { Backend } from '../backend/backend.js'
import type { Config } from '../config/schema.js'
import type { Id } from '../domain/event.js'
import { ExampleColumns, SLAB_ROWS } from '../features/columns.js'
import { FeatureExtractor } from '../features/extract.js'
import { Predictor, slabOf } from '../learn/predictor.js'
import { diverse } from '../recommend/diversity.js'
import { Fusion } from '../recommend/fusion.js'
import { Recommender } from '../recommend/recommender.js'
import { Hasher } from '../std/hash.js'

/** Whom and what a score is about. */
export interface Asked {
  user: Id
  context: Record<string, string> | null
  eventTimeMs: number
  /** By task, instead of the configured `rank`. */
  weights: readonly number[] | undefined
}

/** In the order of the items asked about. */
export interface Scored {
  /** [n, tasks] natural units. */
  values: Float32Array
  /** [n, classes] of the categorical tasks; undefined: there are none. */
  classes: Float32Array | undefined
  /** [n] what lists are ordered by. */
  ranks: Float64Array
}

export interface TopAsked extends Asked {
  size: number
  /** Whether items that the user has had are in the list; undefined: as configured. */
  repeats: boolean | undefined
  accept: ((item: Id) => boolean) | undefined
  /** At most so many items of each value of an attribute. */
  diversity: { by: string; most: number } | undefined
}

export interface TopItem {
  item: Id
  /** By the next-item model. */
  score: number
  values: Float32Array
  classes: Float32Array | undefined
  rank: number
}

/** So many candidates are scored at most until a diverse list is full; where it asks for more items, so many. */
const MOST_DIVERSE = 1000

export class Scorer {
  readonly features: FeatureExtractor
  readonly predictor: Predictor
  readonly fusion: Fusion
  /** Where top-N is configured. A full version makes it anew. */
  recommender: Recommender | undefined
  readonly #config: Config
  readonly #listSeed: number
  readonly #hasher = new Hasher()
  readonly #columns: ExampleColumns
  #turn: Promise<unknown> = Promise.resolve()

  private constructor(config: Config, predictor: Predictor, listSeed: number) {
    this.#config = config
    this.#listSeed = listSeed
    this.predictor = predictor
    this.features = new FeatureExtractor(config.features, this.#hasher, config.fast.enabled, true, config.tasks)
    this.fusion = new Fusion(config.tasks, config.recommend?.fusion)
    this.#columns = new ExampleColumns(predictor.columns, () => {})
    this.renewRecommender()
  }

  static async create(config: Config, backend: Backend, listSeed = config.model.seed): Promise<Scorer> {
    return new Scorer(config, await Predictor.create(config, backend, true), listSeed)
  }

  renewRecommender(): Recommender | undefined {
    const { recommend } = this.#config
    this.recommender = recommend === undefined ? undefined : new Recommender(recommend, this.#hasher, this.#listSeed)
    return this.recommender
  }

  score(asked: Asked, items: readonly Id[]): Promise<Scored> {
    return this.#alone(() => this.#score(asked, items, undefined))
  }

  /**
   * The best of the catalogue, best first: found by the next-item model, scored by all heads, in one order. For a diverse
   * list more are found, as long as it is not full, up to MOST_DIVERSE.
   */
  top(asked: TopAsked): Promise<TopItem[]> {
    return this.#alone(async () => {
      const { recommender } = this
      const { size, diversity } = asked
      if (recommender === undefined || size === 0) return []
      let count = Math.max(size, recommender.candidates)
      for (;;) {
        const ranked = await this.#ranked(asked, recommender, count)
        if (diversity === undefined) return ranked.slice(0, size)
        const { by, most } = diversity
        const list = diverse(ranked, ({ item }) => this.features.itemValues(item, by), most, size)
        if (list.length === size || ranked.length < count || count >= MOST_DIVERSE) return list
        count = Math.min(count * 2, MOST_DIVERSE)
      }
    })
  }

  /** Why the item has its values, by task; see Explanation. */
  explain(asked: Asked, item: Id): Promise<ExplainedTask[]> {
    return this.#alone(() => this.#explain(asked, item))
  }

  /** Resolves when all that was asked is answered. */
  async idle(): Promise<void> {
    await this.#turn
  }

  async close(): Promise<void> {
    await this.idle()
    await this.predictor.close()
  }

  #alone<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work)
    this.#turn = result.catch(() => undefined)
    return result
  }

  async #ranked(asked: TopAsked, recommender: Recommender, count: number): Promise<TopItem[]> {
    const { user, eventTimeMs, repeats, accept } = asked
    const found = recommender.top(user, eventTimeMs, {
      count,
      ...(repeats === undefined ? {} : { repeats }),
      ...(accept === undefined ? {} : { accept }),
    })
    if (found.length === 0) return []
    const items = found.map(({ item }) => item)
    const { values, classes, ranks } = await this.#score(
      asked,
      items,
      Float64Array.from(found, ({ score }) => score),
    )
    const width = this.#config.tasks.length
    const columns = (classes?.length ?? 0) / items.length
    const ranked = found.map(({ item, score }, i) => ({
      item,
      score,
      values: values.subarray(i * width, (i + 1) * width),
      classes: classes?.subarray(i * columns, (i + 1) * columns),
      rank: ranks[i] ?? 0,
    }))
    return ranked.sort((a, b) => b.rank - a.rank)
  }

  async #score(asked: Asked, items: readonly Id[], retrieval: Float64Array | undefined): Promise<Scored> {
    const rows = Int32Array.from(items, item => this.#extract(asked, item))
    try {
      const { slabs } = this.#columns
      await this.predictor.score(slabs, { rows, eventTimeMs: asked.eventTimeMs })
      const values = this.predictor.readScores(slabs, rows)
      const classes = this.predictor.readClasses(slabs, rows)
      return { values, classes, ranks: this.fusion.rank(values, items.length, retrieval, asked.weights) }
    } finally {
      this.#free(rows)
    }
  }

  #extract({ user, context, eventTimeMs }: Asked, item: Id): number {
    const row = this.#columns.allocate()
    const subject = { user, item, eventTimeMs, requestId: null, position: null, context }
    this.features.extract(subject, this.#columns, row, false)
    return row
  }

  #free(rows: Int32Array): void {
    for (const row of rows) this.#columns.free(row)
  }

  async #explain(asked: Asked, item: Id): Promise<ExplainedTask[]> {
    const { slots, dense, embeddings } = this.predictor.layout
    const { tasks } = this.#config
    const whole = this.#extract(asked, item)
    const left: { name: string; row: number }[] = []
    for (const slot of slots) {
      const row = this.#without(whole, keys => keys.fill(0, slot.firstPlace * 2, (slot.firstPlace + slot.places) * 2))
      if (row !== undefined) left.push({ name: slot.name, row })
    }
    // Of an embedding the numbers mean something together only.
    const single = dense.slice(0, embeddings[0]?.first).map((name, first) => ({ name, first, size: 1 }))
    for (const { name, first, size } of [...single, ...embeddings]) {
      const row = this.#without(whole, (_, numbers) => numbers.fill(0, first, first + size))
      if (row !== undefined) left.push({ name, row })
    }
    const rows = Int32Array.from([whole, ...left.map(({ row }) => row)])
    try {
      const { slabs } = this.#columns
      const { deep, fast } = this.predictor
      const gates = await deep.gates(this.predictor.gather(slabs, rows.subarray(0, 1), 'score', asked.eventTimeMs))
      await this.predictor.score(slabs, { rows, eventTimeMs: asked.eventTimeMs })
      const values = this.predictor.readScores(slabs, rows)
      const classes = this.predictor.readClasses(slabs, rows.subarray(0, 1))
      const names = tasks.map(({ name }) => name)
      const parts = fast?.contributions(names, slabOf(slabs, whole), whole)
      const experts = (gates?.length ?? 0) / tasks.length
      return tasks.map(({ name }, t) => ({
        task: name,
        value: values[t] ?? 0,
        classes,
        parts: parts?.[t] ?? [],
        slots: left.map(({ name }, i) => {
          return { name, contribution: (values[t] ?? 0) - (values[(i + 1) * tasks.length + t] ?? 0) }
        }),
        gates: gates === undefined ? undefined : Array.from(gates.subarray(t * experts, (t + 1) * experts)),
      }))
    } finally {
      this.#free(rows)
    }
  }

  /** A copy of the row that lacks something; undefined: it had nothing to lack. */
  #without(row: number, remove: (keys: Uint32Array, dense: Float32Array) => void): number | undefined {
    const { keyPlaces, dense } = this.#columns.layout
    const from = this.#columns.slab(row)
    const at = row % SLAB_ROWS
    const keys = from.keys.slice(at * keyPlaces * 2, (at + 1) * keyPlaces * 2)
    const numbers = from.dense.slice(at * dense, (at + 1) * dense)
    const before = `${keys} ${numbers}`
    remove(keys, numbers)
    if (`${keys} ${numbers}` === before) return undefined
    const copy = this.#columns.allocate()
    const to = this.#columns.slab(copy)
    to.keys.set(keys, (copy % SLAB_ROWS) * keyPlaces * 2)
    to.dense.set(numbers, (copy % SLAB_ROWS) * dense)
    return copy
  }
}

/** What a task's value is made of. */
export interface ExplainedTask {
  task: string
  value: number
  /** [classes] of all categorical tasks; undefined: there are none. */
  classes: Float32Array | undefined
  /** What each part adds through the stack, in latent units; empty without a fast part. */
  parts: { name: string; value: number }[]
  /** By slot and numeric feature that the row has: the value minus what it would be without it. */
  slots: { name: string; contribution: number }[]
  /** How much the task takes of each expert. */
  gates: number[] | undefined
}

/**
 * Follows a learner's published versions and answers with the newest one, in this process: what applications use, and
 * what the HTTP server asks. An answer names its version; equal versions give equal answers, to the bit those of the
 * learner at that version on the same backend.
 */
import type { Config } from '../config/schema.js'
import { type TaskClasses, taskClasses } from '../config/task-classes.js'
import { MillraceError } from '../domain/errors.js'
import { createPseudonyms } from '../std/pseudonyms.js'
import { type Exploration, type Explored, explorePage } from './explore.js'
import { checkKept, createItemFilter, type ItemChoice } from './item-filter.js'
import type { Replica } from './replica.js'
import type { FollowedVersion, FollowerState, ReplicaPair } from './replica-pair.js'
import type { Asked, TopItem } from './scorer.js'

/** Whom the scores are for, and when. */
export interface Question {
  user: string
  /** As impressions have it: device, page and so on. */
  context?: Record<string, string> | undefined
  /** Event time in ms that the features are as of. Default: that of the version, so that equal versions give equal answers. */
  eventTimeMs?: number | undefined
}

export interface ScoreQuestion extends Question {
  items: readonly string[]
  /** Task → its weight in `rank`, instead of the configured ones; tasks that are not named weigh 0. */
  weights?: Record<string, number> | undefined
}

export interface RankQuestion extends ScoreQuestion {
  explore?: Exploration | undefined
}

export interface TopQuestion extends Question, ItemChoice {
  /** Items of the answer. Default: `recommend.size`. */
  size?: number | undefined
  /** Whether items that the user has had are in the list. Default: `recommend.repeats`. */
  seen?: 'include' | 'exclude' | undefined
  /**
   * At most so many items of each value of an attribute, such as { by: 'category', most: 2 }; an item with several values
   * counts for each. The list may be shorter than size where there is too little else among the best thousand.
   */
  diversity?: { by: string; most: number } | undefined
  weights?: Record<string, number> | undefined
  explore?: Exploration | undefined
}

export interface ItemScore {
  item: string
  /** By task, natural units: probability, rating. */
  values: Record<string, number>
  /** By categorical task and class: its probability; those in `label.of` sum to the value, all to 1. Absent: no task is categorical. */
  classes?: Record<string, Record<string, number>>
  /** What lists are ordered by; higher is better. */
  rank: number
}

/** Of which version an answer is. */
export interface Answered {
  /** Steps learned. */
  version: number
  /** Stream time of the version, ms. */
  eventTimeMs: number
}

export interface ScoreAnswer extends Answered {
  scores: ItemScore[]
}

export interface RankAnswer extends ScoreAnswer {
  /** The order was drawn. Absent: it is that of the ranks. */
  explored?: Explored
}

export interface TopAnswer extends Answered {
  explored?: Explored
  /** score: by the next-item model, a logit. */
  items: (ItemScore & { score: number })[]
}

export interface ItemsAnswer extends Answered {
  items: { item: string; score: number }[]
}

export interface Explanation extends Answered {
  tasks: Record<
    string,
    {
      /** Natural units. */
      value: number
      /** Of a categorical task: the probability of each class. */
      classes?: Record<string, number>
      /** What each part of the model adds, in latent units (logit; label over its scale). */
      parts: { name: string; value: number }[]
      /** Leave-one-out, natural units: the value minus what it is without this slot or numeric feature. */
      slots: { name: string; contribution: number }[]
      /** How much the task takes of each expert, where the architecture has experts. */
      gates?: number[]
    }
  >
}

export interface UserAnswer extends Answered {
  user: string
  /** Whether any event of the user has counted. */
  known: boolean
  events: number
  /** Of the profile; categorical attributes are kept as hashes only. */
  numbers: Record<string, number>
  /** What the user has had, newest first; weight: decayed number of times. Where top-N is configured. */
  recent: { item: string; weight: number; eventTimeMs: number }[]
}

export interface ModelStatus {
  state: FollowerState
  /** Why, where that is not plain. */
  reason: string
  /** undefined: no version can be scored with yet. */
  version: number | undefined
  /** Version of the full snapshot that it rests on, and so many deltas behind it. */
  full: number | undefined
  deltas: number | undefined
  eventTimeMs: number | undefined
  /** Wall clock minus stream time of the version. */
  ageMs: number | undefined
  checksum: string | undefined
  /** The version that stays until unpin(). */
  pinned: number | undefined
  /** The newest version that came, whether it is the one that answers or not. */
  newest: number | undefined
  tasks: { name: string; head: string; rank: number }[]
  /** Users and items that top-N knows, where it is configured. */
  users: number | undefined
  items: number | undefined
}

export interface FollowerDeps {
  config: Config
  pair: ReplicaPair
  nowMs(): number
  /** What was opened for it. */
  close(): Promise<void>
}

const MOST_RECENT = 20

export class Follower {
  readonly #deps: FollowerDeps
  readonly #taskNames: string[]
  readonly #classes: readonly TaskClasses[]
  readonly #nameOf: (user: string) => string

  constructor(deps: FollowerDeps) {
    this.#deps = deps
    this.#nameOf = createPseudonyms(deps.config.source.pseudonyms?.key)
    this.#taskNames = deps.config.tasks.map(({ name }) => name)
    this.#classes = taskClasses(deps.config.tasks)
  }

  /** Resolves when there is a version to answer with. SNAPSHOT_NOT_FOUND: it was closed, or can not go on, before. */
  ready(): Promise<void> {
    return this.#deps.pair.ready()
  }

  /** Scores, in the order of the items. */
  async score(question: ScoreQuestion): Promise<ScoreAnswer> {
    const { replica, answered } = this.#front()
    const { values, classes, ranks } = await replica.scorer.score(this.#asked(question, answered), question.items)
    const width = this.#taskNames.length
    const columns = (classes?.length ?? 0) / Math.max(question.items.length, 1)
    const scores = question.items.map((item, i): ItemScore => {
      const named = { values: this.#named(values, i * width), ...this.#classesOf(classes, i * columns) }
      return { item, ...named, rank: ranks[i] ?? 0 }
    })
    return { ...answered, scores }
  }

  /** The same, best first; of equal ones in the order given. */
  async rank(question: RankQuestion): Promise<RankAnswer> {
    const answer = await this.score(question)
    answer.scores.sort((a, b) => b.rank - a.rank)
    return { ...answer, ...explored(answer.scores, question) }
  }

  /** The best of the catalogue for the user, best first; empty where top-N (`recommend`) is not configured. */
  async top(question: TopQuestion): Promise<TopAnswer> {
    const { replica, answered } = this.#front()
    const { size = this.#deps.config.recommend?.size ?? 0, seen, diversity } = question
    const { features } = replica.scorer
    if (diversity !== undefined) checkKept('diversity', diversity.by, features.itemAttributes)
    const found = await replica.scorer.top({
      ...this.#asked(question, answered),
      size,
      repeats: seen === undefined ? undefined : seen === 'include',
      accept: createItemFilter(features, question),
      diversity,
    })
    const items = found.map(item => this.#listed(item))
    return { ...answered, items, ...explored(items, question) }
  }

  /** Items that users had beside this one, best first; empty if nobody had it. */
  similar(item: string, size = 10): ItemsAnswer {
    const { replica, answered } = this.#front()
    return { ...answered, items: replica.scorer.recommender?.similar(item, size) ?? [] }
  }

  /** The most popular items, by decayed number of events. */
  popular(size = 10): ItemsAnswer {
    const { replica, answered } = this.#front()
    return { ...answered, items: replica.scorer.recommender?.popular(size) ?? [] }
  }

  /** Some users who had something lately, to try the model with: `recommend.sampleUsers`. */
  users(size = 10): Answered & { users: string[] } {
    const { replica, answered } = this.#front()
    return { ...answered, users: replica.scorer.recommender?.users(size) ?? [] }
  }

  /** What one score is made of. */
  async explain(question: Question & { item: string }): Promise<Explanation> {
    const { replica, answered } = this.#front()
    const tasks = await replica.scorer.explain(this.#asked(question, answered), question.item)
    const entries = tasks.map(({ task, gates, classes, value, ...rest }) => {
      const own = this.#classesOf(classes, 0).classes?.[task]
      return [task, { value, ...(own && { classes: own }), ...rest, ...(gates && { gates }) }]
    })
    return { ...answered, tasks: Object.fromEntries(entries) }
  }

  /** What the model knows of a user. */
  user(user: string): UserAnswer {
    const { replica, answered } = this.#front()
    const { features, recommender } = replica.scorer
    const name = this.#nameOf(user)
    const known = features.user(name)
    const recent = recommender?.had(name, answered.eventTimeMs, MOST_RECENT) ?? []
    return {
      ...answered,
      user,
      known: known !== undefined || recent.length > 0,
      events: known?.events ?? 0,
      numbers: known?.numbers ?? {},
      recent,
    }
  }

  /** How fresh the model is, and what it predicts. Always answers. */
  model(): ModelStatus {
    const { pair, config, nowMs } = this.#deps
    const held = pair.front?.held
    const top = pair.front?.scorer.recommender?.stats()
    return {
      state: pair.state,
      reason: pair.reason,
      version: held?.version,
      full: held?.full,
      deltas: held?.deltas,
      eventTimeMs: held?.manifest.eventTime,
      ageMs: held === undefined ? undefined : nowMs() - held.manifest.eventTime,
      checksum: held?.manifest.checksum,
      pinned: pair.pinned,
      newest: pair.versions.at(-1)?.version ?? held?.version,
      tasks: config.tasks.map(({ name, head, rank }) => ({ name, head, rank })),
      users: top?.users,
      items: top?.items,
    }
  }

  /**
   * Goes to this version, older or newer, and stays there until unpin(), whatever is published; requests are answered meanwhile.
   * SNAPSHOT_NOT_FOUND: it can not be reconstructed any more; then everything stays as it was.
   */
  pin(version: number): Promise<void> {
    return this.#deps.pair.pin(version)
  }

  /** Resolves when the newest version answers again. */
  unpin(): Promise<void> {
    return this.#deps.pair.unpin()
  }

  /** Resolves with the reason when versions can not be followed any more; what is held goes on answering. */
  failure(): Promise<string> {
    return this.#deps.pair.failure()
  }

  /** The versions that came, newest last, and what became of them; the last hundred. */
  versions(): readonly FollowedVersion[] {
    return this.#deps.pair.versions
  }

  /** What was asked is answered first. */
  async close(): Promise<void> {
    await this.#deps.pair.close()
    await this.#deps.close()
  }

  #front(): { replica: Replica; answered: Answered } {
    const replica = this.#deps.pair.front
    const held = replica?.held
    if (replica === undefined || held === undefined)
      throw new MillraceError('SNAPSHOT_NOT_FOUND', `there is no version to answer with: ${this.#deps.pair.reason}`)
    return { replica, answered: { version: held.version, eventTimeMs: held.manifest.eventTime } }
  }

  #asked(question: Question & { weights?: Record<string, number> | undefined }, { eventTimeMs }: Answered): Asked {
    const { context = null, weights } = question
    const user = this.#nameOf(question.user)
    const atMs = question.eventTimeMs ?? eventTimeMs
    if (!Number.isFinite(atMs)) throw new MillraceError('REQUEST_INVALID', `eventTimeMs is ${atMs}`)
    return { user, context, eventTimeMs: atMs, weights: weights && this.#weights(weights) }
  }

  #weights(weights: Record<string, number>): number[] {
    const unknown = Object.keys(weights).find(name => !this.#taskNames.includes(name))
    if (unknown !== undefined) throw new MillraceError('REQUEST_INVALID', `weights: there is no task '${unknown}'`)
    return this.#taskNames.map(name => (Object.hasOwn(weights, name) ? (weights[name] ?? 0) : 0))
  }

  #listed({ item, score, values, classes, rank }: TopItem): ItemScore & { score: number } {
    return { item, score, values: this.#named(values, 0), ...this.#classesOf(classes, 0), rank }
  }

  #classesOf(probabilities: Float32Array | undefined, from: number): Pick<ItemScore, 'classes'> {
    if (probabilities === undefined) return {}
    const named = this.#classes.map(({ name, first, classes }) => {
      const own = classes.map((text, i) => [text, probabilities[from + first + i] ?? Number.NaN] as const)
      return [name, Object.fromEntries(own)] as const
    })
    return { classes: Object.fromEntries(named) }
  }

  #named(values: Float32Array, from: number): Record<string, number> {
    const named: Record<string, number> = {}
    for (let task = 0; task < this.#taskNames.length; task++)
      named[this.#taskNames[task] ?? ''] = values[from + task] ?? Number.NaN
    return named
  }
}

function explored(items: unknown[], { explore }: { explore?: Exploration | undefined }): { explored?: Explored } {
  const page = explore && explorePage(items, explore)
  return page === undefined ? {} : { explored: page }
}

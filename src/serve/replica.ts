/**
 * A scorer, the version that it is at, and how it gets to the next one. While a version is applied its parts are of no
 * version: nobody may be asking meanwhile. Of a snapshot's parts each goes to what it belongs to; parts that this program
 * does not know are verified and left.
 */
import type { Backend } from '../backend/backend.js'
import type { Config } from '../config/schema.js'
import { MillraceError } from '../domain/errors.js'
import type { LoadedState, SnapshotKind } from '../domain/state.js'
import type { ManifestPart } from '../sink/output-records.js'
import type { IncompleteVersion, WholeVersion } from '../snapshot/assembler.js'
import { createKeptPart } from '../snapshot/kept-parts.js'
import { type FollowedPart, type HeldVersion, type Step, VersionChain } from '../snapshot/reader.js'
import { LogDigest } from '../std/log-digest.kernel.js'
import { Scorer } from './scorer.js'

type Applied = Generator<void, string | undefined>
/** encoding: of rows. */
type Apply = (kind: SnapshotKind, state: LoadedState, encoding: string) => Applied

export class Replica {
  readonly scorer: Scorer
  readonly #chain: VersionChain
  /** Of the version that is being applied: weights are handed to the backend, which takes its time. */
  #network: LoadedState | undefined

  private constructor(scorer: Scorer) {
    this.scorer = scorer
    this.#chain = new VersionChain(part => this.#partOf(part))
  }

  /** listSeed: of top-N, which is one for all who learn from a stream. */
  static async create(config: Config, backend: Backend, listSeed = config.model.seed): Promise<Replica> {
    return new Replica(await Scorer.create(config, backend, listSeed))
  }

  get held(): HeldVersion | undefined {
    return this.#chain.held
  }

  /** The next version that it follows is full, and may be one that it had. */
  forget(): void {
    this.#chain.forget()
  }

  /** run: goes through the work, with pauses or without. Whoever asks must have been answered. */
  async follow(
    arrived: WholeVersion | IncompleteVersion,
    run: <T>(work: Generator<void, T>) => Promise<T>,
  ): Promise<Exclude<Step, { kind: 'more' }>> {
    this.#network = undefined
    const step = await run(this.#chain.take(arrived))
    if (step.kind === 'taken' && this.#network !== undefined)
      await this.scorer.predictor.deep.applyPublished(this.#network)
    return step
  }

  close(): Promise<void> {
    return this.scorer.close()
  }

  #partOf(part: ManifestPart): FollowedPart {
    const apply = this.#applyOf(part.name)
    if (apply === undefined) return createKeptPart(part)
    return { apply: (kind, state, { encoding, sha256 }) => withDigest(apply(kind, state, encoding), sha256) }
  }

  #applyOf(name: string): Apply | undefined {
    const { features, predictor, fusion } = this.scorer
    const { tables, fast, calibrator } = predictor
    const [group, ...rest] = name.split('.')
    const within = rest.join('.')
    switch (group) {
      case 'model':
        return at(state => {
          this.#network = state
        })
      case 'table':
        return (kind, state, encoding) => tables.apply(within, kind, state, encoding)
      case 'fast':
        return fast && ((kind, state, encoding) => fast.apply(name, kind, state, encoding))
      case 'calibration':
        return calibrator && at(state => calibrator.follow(state))
      case 'features':
        return (kind, state) => features.apply(within, kind, state)
      case 'fusion':
        return at(state => fusion.fromJson(state.meta))
      case 'recommend':
        return this.scorer.recommender && this.#applyRecommend()
      default:
        return undefined
    }
  }

  #applyRecommend(): Apply {
    const { scorer } = this
    const entries = new LogDigest()
    return function* (kind, state) {
      if (kind === 'full') {
        scorer.renewRecommender()?.loadState(state)
        const { digest } = state.meta as { digest?: string }
        // A learner that publishes no deltas has no log either: then the checksum is that of the bytes.
        if (digest !== undefined) entries.restore(digest)
        return digest
      }
      if (scorer.recommender !== undefined) yield* scorer.recommender.follow(state)
      entries.add(state.arrays.entries as Uint32Array, 0, state.arrays.entries?.length ?? 0)
      return entries.text
    }
  }
}

/** All at once. */
function at(apply: (state: LoadedState) => void): Apply {
  // biome-ignore lint/correctness/useYield: it has no slices
  return function* (_kind, state) {
    apply(state)
    return undefined
  }
}

function* withDigest(applied: Applied, sha256: string): Generator<void, string> {
  return (yield* applied) ?? sha256
}

/** SNAPSHOT_CORRUPT: the version was made by a program that published less than scoring needs. */
export function checkParts(config: Config, { manifest, version }: WholeVersion | IncompleteVersion): void {
  const names = new Set(manifest.parts.map(({ name }) => name))
  const needed = ['model', 'features.user', 'features.scale', 'fusion', ...(config.recommend ? ['recommend'] : [])]
  const missing = needed.filter(name => !names.has(name))
  if (missing.length > 0)
    throw new MillraceError(
      'SNAPSHOT_CORRUPT',
      `version ${version} lacks ${missing.join(', ')}: nothing can be scored with it`,
    )
}

/**
 * Follows the snapshot output and keeps the newest version that can be reconstructed: the newest full snapshot and the
 * chain of deltas behind it. Records are given in the order of the output, from anywhere in it.
 *
 * A full snapshot that is whole is taken whenever it comes, also with a lower version: then the learner began afresh. A
 * delta is taken if it follows the version that is held, which it names by number and checksum. A version that was taken
 * before comes again after some crashes, and is ignored. Anything else is a gap: what is held stays, and stays right,
 * until the next full snapshot. After each step the checksum of the whole is compared, so what is held is, to the bit,
 * what the learner had at that version; if it ever is not, nothing is held any more.
 *
 * The parts belong to the caller: bytes to keep, rows to score with. A part is only ever given what is whole.
 */
import type { LoadedState, SnapshotKind } from '../domain/state.js'
import type { ManifestPart, SnapshotManifest, SnapshotRecord } from '../sink/output-records.js'
import { runThrough } from '../std/slices.js'
import { type IncompleteVersion, VersionAssembler, type WholeVersion } from './assembler.js'
import { checksumOf } from './publication.js'

/** What is kept of one part. */
export interface FollowedPart {
  /**
   * Brings it to the next version, at once or little by little; returns its digest then. Of a part of form whole the
   * sha256 given is the digest.
   */
  apply(kind: SnapshotKind, state: LoadedState, part: ManifestPart): string | Generator<void, string>
}

export interface HeldVersion {
  version: number
  manifest: SnapshotManifest
  /** Version of the full snapshot that it rests on, and how many deltas lie between. */
  full: number
  deltas: number
  /** Bytes of the full snapshot and those deltas. */
  bytes: number
}

export type Step =
  /** The record was a chunk. */
  | { kind: 'more' }
  | { kind: 'taken'; held: HeldVersion }
  /** Known already. */
  | { kind: 'ignored'; version: number }
  /** This version can not be had, and neither can those that follow it until the next full one. */
  | { kind: 'gap'; version: number; reason: string }

/** The version that parts are at, and which versions can follow it. */
export class VersionChain {
  readonly #partOf: (part: ManifestPart) => FollowedPart
  readonly #parts = new Map<string, FollowedPart>()
  /** What was taken since the full snapshot that is held: version and checksum. */
  readonly #taken = new Set<string>()
  #held: HeldVersion | undefined

  /** partOf: makes what keeps a part; called once a name. */
  constructor(partOf: (part: ManifestPart) => FollowedPart) {
    this.#partOf = partOf
  }

  get held(): HeldVersion | undefined {
    return this.#held
  }

  /** What was taken may come again, in its order, from a full version on. */
  forget(): void {
    this.#taken.clear()
  }

  /** Little by little; in between the parts are of no version. */
  *take(arrived: WholeVersion | IncompleteVersion): Generator<void, Exclude<Step, { kind: 'more' }>> {
    const { version, manifest } = arrived
    if (this.#taken.has(`${version} ${manifest.checksum}`)) return { kind: 'ignored', version }
    const reason = this.#obstacle(arrived)
    if (reason !== undefined) return { kind: 'gap', version, reason }
    return yield* this.#apply(arrived as WholeVersion)
  }

  /** What keeps this version from being taken. */
  #obstacle(arrived: WholeVersion | IncompleteVersion): string | undefined {
    if (arrived.state === 'incomplete') return arrived.reason
    const { kind, parent, manifest } = arrived
    if (kind === 'full') return undefined
    const held = this.#held
    if (held === undefined) return `it changes version ${parent}, which is not there`
    if (held.manifest.checksum === manifest.parentChecksum) return undefined
    return held.version === parent
      ? `it changes another version ${parent} than the one that is there`
      : `it changes version ${parent}, and ${held.version} is there`
  }

  *#apply({ version, kind, manifest, parts }: WholeVersion): Generator<void, Exclude<Step, { kind: 'more' }>> {
    const before = kind === 'full' ? undefined : this.#held
    // Between here and the end the parts are of no version.
    this.#held = undefined
    if (kind === 'full') this.#taken.clear()
    const digests: { name: string; digest: string }[] = []
    for (const { part, state } of parts) {
      const followed = this.#parts.get(part.name) ?? this.#partOf(part)
      this.#parts.set(part.name, followed)
      const applied = followed.apply(kind, state, part)
      digests.push({ name: part.name, digest: typeof applied === 'string' ? applied : yield* applied })
    }
    if (checksumOf(digests) !== manifest.checksum) {
      const wrong = digests.find(({ digest }, at) => digest !== parts[at]?.part.digest)
      this.#taken.clear()
      return { kind: 'gap', version, reason: `part ${wrong?.name ?? '?'} came out with another checksum` }
    }
    this.#taken.add(`${version} ${manifest.checksum}`)
    const bytes = manifest.parts.reduce((sum, part) => sum + part.bytes, before?.bytes ?? 0)
    const full = before?.full ?? version
    this.#held = { version, manifest, full, deltas: before === undefined ? 0 : before.deltas + 1, bytes }
    return { kind: 'taken', held: this.#held }
  }
}

export class SnapshotReader {
  readonly #assembler = new VersionAssembler()
  readonly #chain: VersionChain

  /** partOf: makes what keeps a part; called once a name. */
  constructor(partOf: (part: ManifestPart) => FollowedPart) {
    this.#chain = new VersionChain(partOf)
  }

  get held(): HeldVersion | undefined {
    return this.#chain.held
  }

  /** Whether a version has begun and its manifest has not come. */
  get isInMiddle(): boolean {
    return this.#assembler.isInMiddle
  }

  take(record: SnapshotRecord): Step {
    const arrived = this.#assembler.take(record)
    return arrived === undefined ? { kind: 'more' } : runThrough(this.#chain.take(arrived))
  }
}

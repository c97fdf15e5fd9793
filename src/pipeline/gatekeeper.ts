/**
 * What becomes of a version that is due while the publish gate is on. It is offered behind a step and decided between two
 * records, when everything sent is answered: so the verdict follows from the log, and until it is there nothing that a
 * version is made of has been taken. What is held back takes nothing either: the next delta covers all since the last
 * version that was published.
 *
 * offer() any number of times, then decide() once; isWaiting in between. The first version is always published: there is
 * nothing to go on with instead.
 */
import type { Json, SnapshotKind } from '../domain/state.js'
import type { GateFinding, PublishGate } from '../evaluate/gate/publish-gate.js'

export interface PublishVerdict {
  version: number
  kind: SnapshotKind
  eventTimeMs: number
  verdict: 'published' | 'held'
  /** It is otherwise than that of the version before. */
  isNew: boolean
  /** held: what is worse than it was. */
  findings: readonly GateFinding[]
  /** published: what was held back for long is taken as it is. */
  isAccepted: boolean
}

interface GatekeeperState {
  gate: Json
  isHolding: boolean
  owesFull: boolean
  tried: { version: number; eventTimeMs: number } | null
}

export class Gatekeeper {
  readonly #gate: PublishGate
  readonly #onVerdict: (verdict: PublishVerdict) => void
  #offered: SnapshotKind | undefined
  #isHolding = false
  #owesFull = false
  #tried: { version: number; eventTimeMs: number } | undefined

  constructor(gate: PublishGate, onVerdict: (verdict: PublishVerdict) => void) {
    this.#gate = gate
    this.#onVerdict = onVerdict
  }

  get isWaiting(): boolean {
    return this.#offered !== undefined
  }

  /** Whether the last version was held back. */
  get isHolding(): boolean {
    return this.#isHolding
  }

  /** A full version was held back, and none has come since. */
  get owesFull(): boolean {
    return this.#owesFull
  }

  /** The last version that was decided about; undefined: none was. */
  get tried(): { version: number; eventTimeMs: number } | undefined {
    return this.#tried
  }

  /** [n, tasks] as a step judged them. */
  record(n: number, values: Float32Array, labels: Float32Array, mask: Uint8Array): void {
    this.#gate.record(n, values, labels, mask)
  }

  offer(kind: SnapshotKind): void {
    if (this.#offered !== 'full') this.#offered = kind
  }

  /** What is to be published now, if anything. isFirst: nothing was published before. */
  decide(version: number, eventTimeMs: number, isFirst: boolean): SnapshotKind | undefined {
    const kind = this.#offered
    if (kind === undefined) return undefined
    this.#offered = undefined
    this.#tried = { version, eventTimeMs }
    const { findings, isAccepted } = this.#gate.judge(eventTimeMs)
    const isHeld = findings.length > 0 && !isFirst
    const isNew = isHeld !== this.#isHolding
    this.#isHolding = isHeld
    this.#owesFull = isHeld && (this.#owesFull || kind === 'full')
    const verdict = isHeld ? 'held' : 'published'
    this.#onVerdict({ version, kind, eventTimeMs, verdict, isNew, findings: isHeld ? findings : [], isAccepted })
    return isHeld ? undefined : kind
  }

  /** Never between an offer and its decision. */
  toJson(): Json {
    const state: GatekeeperState = {
      gate: this.#gate.toJson(),
      isHolding: this.#isHolding,
      owesFull: this.#owesFull,
      tried: this.#tried ?? null,
    }
    return state as unknown as Json
  }

  fromJson(state: Json): void {
    const { gate, isHolding, owesFull, tried } = state as unknown as GatekeeperState
    this.#gate.fromJson(gate)
    this.#isHolding = isHolding
    this.#owesFull = owesFull
    this.#tried = tried ?? undefined
  }
}

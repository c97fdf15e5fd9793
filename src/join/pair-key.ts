import type { Id } from '../domain/event.js'
import type { Hasher } from '../std/hash.js'

/** The keys by which records of the join find each other, of the record read last: its (user, item), its user and its request id. */
export class PairKey {
  lo = 0
  hi = 0
  userLo = 0
  userHi = 0
  /** (0, 0) = no request id. */
  requestLo = 0
  requestHi = 0
  readonly #hasher: Hasher

  constructor(hasher: Hasher) {
    this.#hasher = hasher
  }

  read(user: Id, item: Id, requestId: string | null): void {
    const hasher = this.#hasher
    this.requestLo = 0
    this.requestHi = 0
    if (requestId !== null) {
      hasher.once(requestId)
      this.requestLo = hasher.lo
      this.requestHi = hasher.hi
    }
    hasher.text(user)
    this.userLo = hasher.lo
    this.userHi = hasher.hi
    hasher.text(item)
    hasher.mix(this.userLo, this.userHi, hasher.lo, hasher.hi)
    this.lo = hasher.lo
    this.hi = hasher.hi
  }
}

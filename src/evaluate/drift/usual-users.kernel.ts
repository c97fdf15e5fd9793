/**
 * Whose labels tell whether the world is still the same: those of users who say neither much more than others nor what nobody
 * doubts. A user counts 96 times in 4,096 labels, so that nobody is a large part of what is usual; and not at all while foretold
 * three times better than the others, as robots are that always say the same: what is usual would fall with them, and rise when
 * they stop.
 *
 * How well a user is foretold is the loss over that of a constant, of the last 64 labels or so that count; 8 labels of the
 * others' mean losses stand before the first, so that whoever simply never clicks is nothing special. Users share places by
 * their key: whoever is seldom seen loses the place to another, and matters little.
 */

/** A power of two. */
const USERS = 4096
const WINDOW = 4096
const MOST = 96
const KEEP = 1 - 1 / 64
const PRIOR_LABELS = 8
const SHARE = 1 / 3
/** Labels that the others' means are of. */
const MEAN_LABELS = 16_384

export class UsualUsers {
  /** [USERS, 3] What is left of the user's key, the number of the label at which the window began, and labels in it. */
  readonly #users = new Uint32Array(USERS * 3)
  /** [USERS, 2] Sums of the losses and of the constant's, where older ones count less. */
  readonly #sums = new Float64Array(USERS * 2)
  /** So far, modulo 2^32. */
  #labels = 0
  #counted = 0
  /** Means of both, of what counted. */
  #loss = 0
  #constantLoss = 0

  /** A label of a user, by the words of the key. → Whether it counts. */
  count(lo: number, hi: number, loss: number, constantLoss: number): boolean {
    const place = lo & (USERS - 1)
    this.#labels = (this.#labels + 1) >>> 0
    if (this.#inWindow(place, hi) > MOST) return false
    const sums = this.#sums
    const own = sums[place * 2]! + PRIOR_LABELS * this.#loss
    const constant = sums[place * 2 + 1]! + PRIOR_LABELS * this.#constantLoss
    const isForetold = own * this.#constantLoss < SHARE * this.#loss * constant
    sums[place * 2] = KEEP * sums[place * 2]! + loss
    sums[place * 2 + 1] = KEEP * sums[place * 2 + 1]! + constantLoss
    if (isForetold) return false
    this.#counted = Math.min(this.#counted + 1, MEAN_LABELS)
    this.#loss += (loss - this.#loss) / this.#counted
    this.#constantLoss += (constantLoss - this.#constantLoss) / this.#counted
    return true
  }

  save(): { numbers: number[]; users: Uint32Array; sums: Float64Array } {
    const numbers = [this.#labels, this.#counted, this.#loss, this.#constantLoss]
    return { numbers, users: this.#users, sums: this.#sums }
  }

  load(
    [labels = 0, counted = 0, loss = 0, constantLoss = 0]: readonly number[],
    users: Uint32Array,
    sums: Float64Array,
  ) {
    this.#labels = labels
    this.#counted = counted
    this.#loss = loss
    this.#constantLoss = constantLoss
    this.#users.set(users)
    this.#sums.set(sums)
  }

  /** Labels of the user in the window, this one included. */
  #inWindow(place: number, hi: number): number {
    const users = this.#users
    const at = place * 3
    const isKnown = users[at] === hi && users[at + 2]! > 0
    if (!isKnown) {
      this.#sums[place * 2] = 0
      this.#sums[place * 2 + 1] = 0
    }
    if (!isKnown || (this.#labels - users[at + 1]!) >>> 0 > WINDOW) {
      users[at] = hi
      users[at + 1] = this.#labels
      users[at + 2] = 0
    }
    return ++users[at + 2]!
  }
}

/**
 * Which items each user has had: one row a pair of user and item, in two doubly linked lists, the user's pairs and all
 * pairs, each most recent first. A pair that comes again moves to the front of both. Its weight decays with the half-life
 * of `own` history and gains 1 at each event.
 *
 * Bounded by `maxPairs` alone: a new pair takes the place of the one that was longest untouched, and a user without pairs
 * is forgotten. A walk follows a user's list; nothing depends on the order of a hash table.
 */
import type { LoadedState, PartState } from '../domain/state.js'
import { grown } from '../std/grown.js'
import { KeyIndex, LOOSE } from '../std/key-index.kernel.js'
import { loadedArray } from './loaded.js'

const NOBODY = -1
const END = -1

export class Histories {
  readonly #maxPairs: number
  readonly #halfLifeMs: number
  #pairs = new KeyIndex(1024, 2, LOOSE)
  #users = new KeyIndex(1024, 2, LOOSE)
  /** By pair row. */
  #item = new Int32Array(0)
  #user = new Int32Array(0)
  #newer = new Int32Array(0)
  #older = new Int32Array(0)
  #lastUsed = new Int32Array(0)
  #nextUsed = new Int32Array(0)
  #weight = new Float32Array(0)
  #timeMs = new Float64Array(0)
  /** By user row: the most recent pair. */
  #newest = new Int32Array(0)
  /** Of all pairs: the one used last, and the one that has waited longest. */
  #latest = END
  #longest = END

  constructor(maxPairs: number, halfLifeMs: number) {
    this.#maxPairs = maxPairs
    this.#halfLifeMs = halfLifeMs
  }

  get size(): number {
    return this.#pairs.size
  }

  get users(): number {
    return this.#users.size
  }

  /** Row of the user by the hash of the id; NOBODY (-1) if there is no pair of hers. */
  userRow(lo: number, hi: number): number {
    return this.#users.find(lo, hi)
  }

  /** The user's most recent pair, or -1. */
  newest(user: number): number {
    return user === NOBODY ? END : this.#newest[user]!
  }

  /** The user's pair before this one, or -1. */
  older(pair: number): number {
    return this.#older[pair]!
  }

  itemOf(pair: number): number {
    return this.#item[pair]!
  }

  /** When it was had last. */
  timeOf(pair: number): number {
    return this.#timeMs[pair]!
  }

  /** Its decayed weight now. */
  weightAt(pair: number, nowMs: number): number {
    return this.#weight[pair]! * 2 ** ((this.#timeMs[pair]! - nowMs) / this.#halfLifeMs)
  }

  /** Its weight when it was had last. */
  weightOf(pair: number): number {
    return this.#weight[pair]!
  }

  /** How long ago it was had last, in half-lives; 0 where now is before that. */
  ageAt(pair: number, nowMs: number): number {
    return Math.max(0, (nowMs - this.#timeMs[pair]!) / this.#halfLifeMs)
  }

  has(user: number, item: number): boolean {
    return user !== NOBODY && this.#pairs.find(item + 1, user + 1) >= 0
  }

  add(lo: number, hi: number, item: number, nowMs: number): void {
    const user = this.#users.insert(lo, hi)
    if (this.#users.inserted) {
      this.#newest = grown(this.#newest, user + 1)
      this.#newest[user] = END
    }
    let pair = this.#pairs.find(item + 1, user + 1)
    if (pair >= 0) {
      this.#weight[pair] = this.weightAt(pair, nowMs) + 1
      this.#unlink(pair)
    } else {
      if (this.#pairs.size >= this.#maxPairs) this.#remove(this.#longest, user)
      pair = this.#pairs.insert(item + 1, user + 1)
      this.#reserve(pair + 1)
      this.#item[pair] = item
      this.#user[pair] = user
      this.#weight[pair] = 1
    }
    this.#timeMs[pair] = nowMs
    this.#link(pair)
  }

  /** Forgets a user; how many pairs that were. */
  erase(lo: number, hi: number): number {
    const user = this.#users.find(lo, hi)
    let erased = 0
    for (let pair = this.newest(user); pair !== END; erased++) {
      const older = this.#older[pair]!
      this.#remove(pair, NOBODY)
      pair = older
    }
    return erased
  }

  /** Forgets the pairs of items marked 1. */
  removeItems(gone: Uint8Array): void {
    for (let pair = this.#longest; pair !== END; ) {
      const next = this.#lastUsed[pair]!
      if (gone[this.#item[pair]!] === 1) this.#remove(pair, NOBODY)
      pair = next
    }
  }

  saveArrays(): PartState['arrays'] {
    const rows = this.#pairs.rows
    const pairs = this.#pairs.saveState().arrays
    const users = this.#users.saveState().arrays
    return {
      'history.pairs': pairs.keys,
      'history.freePairs': pairs.free,
      'history.users': users.keys,
      'history.freeUsers': users.free,
      'history.links': [this.#newer, this.#older, this.#lastUsed, this.#nextUsed].map(list => list.subarray(0, rows)),
      'history.weights': this.#weight.subarray(0, rows),
      'history.times': this.#timeMs.subarray(0, rows),
      'history.newest': this.#newest.subarray(0, this.#users.rows),
      'history.ends': Int32Array.of(this.#latest, this.#longest),
    }
  }

  loadArrays(state: LoadedState): void {
    const pairs = loadedArray(state, 'history.pairs', Uint32Array)
    const users = loadedArray(state, 'history.users', Uint32Array)
    const rows = pairs.length / 2
    this.#pairs.loadState(rows, pairs, loadedArray(state, 'history.freePairs', Uint32Array))
    this.#users.loadState(users.length / 2, users, loadedArray(state, 'history.freeUsers', Uint32Array))
    this.#reserve(rows)
    const links = loadedArray(state, 'history.links', Int32Array)
    for (const [index, list] of [this.#newer, this.#older, this.#lastUsed, this.#nextUsed].entries()) {
      list.set(links.subarray(index * rows, (index + 1) * rows))
    }
    this.#weight.set(loadedArray(state, 'history.weights', Float32Array))
    this.#timeMs.set(loadedArray(state, 'history.times', Float64Array))
    this.#newest = grown(this.#newest, users.length / 2)
    this.#newest.set(loadedArray(state, 'history.newest', Int32Array))
    const ends = loadedArray(state, 'history.ends', Int32Array)
    this.#latest = ends[0]!
    this.#longest = ends[1]!
    for (let pair = 0; pair < rows; pair++) {
      this.#item[pair] = this.#pairs.keyLo(pair) - 1
      this.#user[pair] = this.#pairs.keyHi(pair) - 1
    }
  }

  #link(pair: number): void {
    const user = this.#user[pair]!
    const before = this.#newest[user]!
    this.#newer[pair] = END
    this.#older[pair] = before
    if (before !== END) this.#newer[before] = pair
    this.#newest[user] = pair
    this.#lastUsed[pair] = END
    this.#nextUsed[pair] = this.#latest
    if (this.#latest !== END) this.#lastUsed[this.#latest] = pair
    this.#latest = pair
    if (this.#longest === END) this.#longest = pair
  }

  #unlink(pair: number): void {
    const newer = this.#newer[pair]!
    const older = this.#older[pair]!
    if (newer !== END) this.#older[newer] = older
    else this.#newest[this.#user[pair]!] = older
    if (older !== END) this.#newer[older] = newer
    const last = this.#lastUsed[pair]!
    const next = this.#nextUsed[pair]!
    if (last !== END) this.#nextUsed[last] = next
    else this.#latest = next
    if (next !== END) this.#lastUsed[next] = last
    else this.#longest = last
  }

  /** keep: a user who stays even without pairs, because one is about to come. */
  #remove(pair: number, keep: number): void {
    const user = this.#user[pair]!
    this.#unlink(pair)
    this.#pairs.remove(this.#item[pair]! + 1, user + 1)
    // A freed row has no trace of its last pair, so that what is saved is a function of what is live.
    this.#newer[pair] = this.#older[pair] = this.#lastUsed[pair] = this.#nextUsed[pair] = END
    this.#weight[pair] = this.#timeMs[pair] = 0
    if (this.#newest[user] === END && user !== keep)
      this.#users.remove(this.#users.keyLo(user), this.#users.keyHi(user))
  }

  #reserve(rows: number): void {
    if (this.#item.length >= rows) return
    this.#item = grown(this.#item, rows)
    this.#user = grown(this.#user, rows)
    this.#newer = grown(this.#newer, rows)
    this.#older = grown(this.#older, rows)
    this.#lastUsed = grown(this.#lastUsed, rows)
    this.#nextUsed = grown(this.#nextUsed, rows)
    this.#weight = grown(this.#weight, rows)
    this.#timeMs = grown(this.#timeMs, rows)
  }
}

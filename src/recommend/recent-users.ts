/** Ids of the users who had something last, each once: a sample for people to try the model with. */
import type { Id } from '../domain/event.js'
import type { LoadedState, PartState } from '../domain/state.js'
import { loadedArray } from './loaded.js'
import { packTexts, unpackTexts } from './texts.js'

export class RecentUsers {
  readonly #limit: number
  /** Oldest first. */
  readonly #users = new Set<Id>()

  /** limit: 0 keeps none. */
  constructor(limit: number) {
    this.#limit = limit
  }

  add(user: Id): void {
    if (this.#limit === 0) return
    this.#users.delete(user)
    this.#users.add(user)
    if (this.#users.size <= this.#limit) return
    const [oldest] = this.#users
    this.#users.delete(oldest ?? '')
  }

  erase(user: Id): void {
    this.#users.delete(user)
  }

  /** Newest first. */
  list(count: number): Id[] {
    return [...this.#users].reverse().slice(0, count)
  }

  saveArrays(): PartState['arrays'] {
    const { lengths, bytes } = packTexts([...this.#users])
    return { 'users.lengths': lengths, 'users.bytes': bytes }
  }

  loadArrays(state: LoadedState): void {
    this.#users.clear()
    const bytes = loadedArray(state, 'users.bytes', Uint8Array)
    for (const user of unpackTexts(loadedArray(state, 'users.lengths', Uint32Array), bytes)) this.#users.add(user)
  }
}

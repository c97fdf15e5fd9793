/** Some of the users of whom something was predicted lately, for people who want to try one. Never in the log or in metrics. */
const KEPT = 64
/** One of so many predictions is looked at. */
const EVERY = 32

export class RecentUsers {
  readonly #users = new Set<string>()
  #seen = 0

  add(user: string): void {
    if (this.#seen++ % EVERY !== 0) return
    // Added again, it is the newest.
    this.#users.delete(user)
    this.#users.add(user)
    if (this.#users.size > KEPT) this.#users.delete(this.#users.values().next().value as string)
  }

  /** Newest first. */
  newest(size: number): string[] {
    return [...this.#users].reverse().slice(0, size)
  }
}

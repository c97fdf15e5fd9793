/** The leaderboard of challengers for HTTP: empty until a session learns, and what somebody promotes on the way to its place. */
import type { LoadedConfig } from '../config/load.js'
import { MillraceError } from '../domain/errors.js'
import type { Contest } from '../pipeline/contest.js'
import type { Promotions } from '../pipeline/promotions.js'
import type { ChallengerBoard } from '../serve/http/challenger-routes.js'
import type { Challengers } from '../serve/http/challenger-schemas.js'

interface Session {
  contest: Contest
  /** undefined: no run that goes on, so there is no place that a journal could tell of. */
  promotions: Promotions | undefined
}

export class Board implements ChallengerBoard {
  readonly #loaded: LoadedConfig
  #session: Session | undefined

  constructor(loaded: LoadedConfig) {
    this.#loaded = loaded
  }

  /** Learning begins. */
  open(session: Session): void {
    this.#session = session
  }

  list(): Challengers | string {
    if (this.#loaded.challengers.length === 0) return 'no challengers are configured'
    if (this.#session === undefined) return 'learning has not begun'
    const { contest } = this.#session
    const { name, hash } = contest.answering
    const challengers = contest.standings().map(({ name, hash, failure, standing }) => ({
      name,
      configHash: hash,
      changes: this.#changesOf(name),
      failure: failure ?? null,
      labels: standing.labels,
      passed: standing.passed,
      difference: standing.difference ?? null,
      verdict: standing.verdict,
      tasks: standing.tasks.map(task => ({ ...task, difference: task.difference ?? null })),
    }))
    return { answering: { name, configHash: hash, changes: this.#changesOf(name) }, challengers }
  }

  async promote(name: string): Promise<string | undefined> {
    if (this.#session === undefined) return 'learning has not begun'
    const { contest, promotions } = this.#session
    if (promotions === undefined)
      return 'only a run that follows its log (source.follow, or topics) is promoted in by hand'
    const found = contest.standings().find(one => one.name === name)
    if (found === undefined) return `'${name}' answers already`
    if (found.failure !== undefined) return `'${name}' has failed: ${found.failure}`
    try {
      await promotions.ask(found.hash)
    } catch (error) {
      if (error instanceof MillraceError) return error.message
      throw error
    }
    return undefined
  }

  #changesOf(name: string): Record<string, unknown> {
    return { ...this.#loaded.challengers.find(one => one.name === name)?.changes }
  }
}

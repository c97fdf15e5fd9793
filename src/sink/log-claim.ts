/**
 * Who appends to a log that grows. Whoever came last may; the one before notices at its next append and stops, as with
 * Kafka's transactional ids. So a process that died holds nobody up, in whatever container it ran.
 */
import { open, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { MillraceError } from '../domain/errors.js'
import { uniqueName } from '../std/unique-name.js'
import { outputError } from './container.js'
import { syncFolder } from './durable.js'

/** Beside the partitions; readers of the log pass over it. */
const CLAIM_FILE = 'writer.json'

export class LogClaim {
  readonly #file: string
  readonly #text = `${JSON.stringify({ instance: uniqueName(), pid: process.pid })}\n`

  private constructor(path: string) {
    this.#file = join(path, CLAIM_FILE)
  }

  /** Takes the log in `path` over. */
  static async of(path: string): Promise<LogClaim> {
    const claim = new LogClaim(path)
    const partial = `${claim.#file}.partial`
    try {
      const handle = await open(partial, 'w')
      await handle.writeFile(claim.#text)
      await handle.sync()
      await handle.close()
      await rename(partial, claim.#file)
      await syncFolder(path)
    } catch (error) {
      throw outputError(claim.#file, error)
    }
    return claim
  }

  /** LOG_TAKEN: another process has taken the log over. */
  async check(): Promise<void> {
    const text = await readFile(this.#file, 'utf8').catch((error: Error) => error.message)
    if (text !== this.#text) throw new MillraceError('LOG_TAKEN', `${this.#file} is of another process by now`)
  }
}

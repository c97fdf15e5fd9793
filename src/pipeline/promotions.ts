/** Promotions that somebody has asked for, until a live run finds a place between two records for them. */
import { MillraceError } from '../domain/errors.js'

interface AskedPromotion {
  /** Of the configuration that is to answer. */
  hash: string
  /** Its place in the log is durable. */
  resolve(): void
  reject(error: unknown): void
}

export class Promotions {
  #waiting: AskedPromotion[] = []
  #isClosed = false

  /** Resolves when it is done and cannot be lost any more. */
  ask(hash: string): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) reject(ended())
      else this.#waiting.push({ hash, resolve, reject })
    })
  }

  next(): AskedPromotion | undefined {
    return this.#waiting.shift()
  }

  /** Nobody will come for them any more. */
  close(): void {
    this.#isClosed = true
    for (const { reject } of this.#waiting.splice(0)) reject(ended())
  }
}

const ended = () => new MillraceError('REQUEST_INVALID', 'learning has ended')

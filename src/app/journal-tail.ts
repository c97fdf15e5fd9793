/**
 * The journal's entries behind the checkpoint that a live run goes on from: they say what the wall clock did before the
 * crash (closed batches, left partitions aside), so that the run does it there again. Going back to the checkpoint cuts them off the journal, and
 * a second crash would lose them: so they are kept in a file beside the checkpoints until one is written behind them.
 */
import { open, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { isByClock } from '../pipeline/journal.js'
import { entryOf, readJournalFiles } from '../sink/file-delivery.js'
import type { JournalRecord } from '../sink/output-records.js'
import { diskFault } from '../snapshot/disk-fault.js'

const FILE = 'journal-tail.json'

export class JournalTail {
  readonly #file: string
  readonly #journal: string
  #kept = false

  constructor(checkpointRoot: string, outputFolder: string) {
    this.#file = join(checkpointRoot, FILE)
    this.#journal = join(outputFolder, 'journal')
  }

  /** The entries from this number on that the wall clock made, in order; kept when it resolves. Called before the journal is cut. */
  async keep(fromSeq: number): Promise<JournalRecord[]> {
    const entries = new Map<number, JournalRecord>()
    for (const entry of [...(await this.#earlier()), ...(await readJournalFiles(this.#journal, fromSeq))]) {
      if (entry.seq >= fromSeq && isByClock(entry)) entries.set(entry.seq, entry)
    }
    const tail = [...entries.values()].sort((a, b) => a.seq - b.seq)
    if (tail.length > 0) await this.#write(tail)
    return tail
  }

  /** There is a checkpoint behind all of them. */
  async drop(): Promise<void> {
    if (this.#kept) await rm(this.#file, { force: true })
    this.#kept = false
  }

  /** A fresh start follows nothing. */
  async discard(): Promise<void> {
    await rm(this.#file, { force: true })
  }

  async #write(tail: readonly JournalRecord[]): Promise<void> {
    const draft = `${this.#file}.tmp`
    try {
      const handle = await open(draft, 'w')
      try {
        await handle.writeFile(JSON.stringify(tail, (_, value) => (typeof value === 'bigint' ? String(value) : value)))
        await handle.sync()
      } finally {
        await handle.close()
      }
      await rename(draft, this.#file)
    } catch (cause) {
      throw diskFault(cause, `${this.#file} can not be written`)
    }
    this.#kept = true
  }

  async #earlier(): Promise<JournalRecord[]> {
    const text = await readFile(this.#file, 'utf8').catch(() => undefined)
    if (text === undefined) return []
    this.#kept = true
    return (JSON.parse(text) as Parameters<typeof entryOf>[0][]).map(entryOf)
  }
}

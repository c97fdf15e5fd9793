/**
 * The journal's entries behind the checkpoint that a live run goes on from: they say where the wall clock closed batches
 * before the crash, so that the run closes them there again. Going back to the checkpoint cuts them off the journal, and
 * a second crash would lose them: so they are kept in a file beside the checkpoints until one is written behind them.
 */
import { open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import avro from 'avsc'
import { isSegmentFile } from '../sink/container.js'
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
    for (const entry of [...(await this.#earlier()), ...(await readJournal(this.#journal, fromSeq))]) {
      if (entry.seq >= fromSeq && entry.trigger === 'linger') entries.set(entry.seq, entry)
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
    return (JSON.parse(text) as StoredEntry[]).map(entryOf)
  }
}

type StoredEntry = Omit<JournalRecord, 'consumed'> & {
  consumed: { partition: number; offset: number | string }[]
}

function entryOf({ consumed, ...rest }: StoredEntry): JournalRecord {
  return { ...rest, consumed: consumed.map(({ partition, offset }) => ({ partition, offset: BigInt(offset) })) }
}

/** What the journal of an earlier run holds, in order; from before this entry on. Its last block may be torn. */
async function readJournal(folder: string, fromSeq: number): Promise<JournalRecord[]> {
  const names = (await readdir(folder).catch(() => [])).filter(isSegmentFile).sort()
  // Segments are named by the number of their first entry.
  const start = names.findLastIndex(name => Number.parseInt(name, 10) <= fromSeq)
  const records: JournalRecord[] = []
  for (const name of names.slice(Math.max(start, 0))) {
    try {
      for await (const record of avro.createFileDecoder(join(folder, name)))
        records.push(entryOf(record as StoredEntry))
    } catch {
      // A torn end is what a crash leaves: nothing that was published depends on it.
    }
  }
  return records
}

/**
 * The journal says which records made which step: with a checkpoint and the log it gives the exact model of any later
 * step. Batches closed by count, tick or the log's end follow from the log alone. What the wall clock did does not: it
 * closes batches and publishes (linger), and decides which partitions are waited for (idle, active); what somebody promotes by
 * hand is of that kind. So after a crash the
 * journal is read back: `forced` holds these entries behind the restored checkpoint, in order, and while there are any,
 * the wall clock has no say. A `commit` among them says how far outputs had become visible.
 *
 * While it is followed the journal is written as it was: entries that the log makes are made again, the others repeated.
 */
import type { RecordPosition } from '../domain/event.js'
import type { JournalRecord } from '../sink/output-records.js'
import type { MergeDecision, UnknownSchema } from '../source/source.js'
import type { Position } from './position.js'

export type FlushTrigger = JournalRecord['trigger']

export class Journal {
  readonly #append: (record: JournalRecord) => void
  readonly #position: Position
  #seq = 0
  #forced: JournalRecord[] = []
  #forcedTimeMs = 0
  /** Records read before the last entry. */
  #toldRecords = 0

  constructor(append: (record: JournalRecord) => void, position: Position) {
    this.#append = append
    this.#position = position
  }

  score(step: number, trigger: FlushTrigger, examples: number): void {
    this.#write('score', step, trigger, examples)
  }

  learn(step: number, trigger: FlushTrigger, examples: number): void {
    this.#write('learn', step, trigger, examples)
  }

  /** A version was published because the wall clock wanted it. */
  publish(step: number, trigger: FlushTrigger): void {
    this.#write('publish', step, trigger, 0)
  }

  /** What the wall clock decided about the order of partitions. */
  decision(step: number, { partition, idle, name, records }: MergeDecision): void {
    this.#write(idle ? 'idle' : 'active', step, 'clock', 0, { records, partition, partitionName: name ?? null })
  }

  /** What was made of all records so far becomes visible, and must stay as it is. */
  commit(step: number): void {
    if (this.#position.records > this.#toldRecords) this.#write('commit', step, 'clock', 0)
  }

  /** A record was rejected because the registry did not know its schema. */
  unknownSchema(step: number, { partition, offset }: UnknownSchema): void {
    this.#write('unknown-schema', step, 'registry', 0, { partition, offset })
  }

  /** A user was erased, because this record said so. */
  erase(step: number, { partition, offset }: RecordPosition): void {
    this.#write('erase', step, 'erase', 0, { partition, offset })
  }

  /** Somebody promoted a challenger. */
  promote(step: number, configHash: string): void {
    this.#write('promote', step, 'hand', 0, { partitionName: configHash })
  }

  /** A model that has learned nothing begins where the partitions stand now. */
  begin(partitions: readonly string[]): void {
    this.#write('begin', 0, 'start', 0, { partitions })
  }

  get seq(): number {
    return this.#seq
  }

  restore(seq: number): void {
    this.#seq = seq
    this.#toldRecords = this.#position.records
  }

  /** After a crash: entries as the journal holds them; those behind the restored checkpoint that the wall clock made are followed. */
  follow(entries: readonly JournalRecord[]): void {
    this.#forced = entries.filter(entry => isByClock(entry) && entry.seq >= this.#seq)
  }

  /** Whether the run must still go on as before the crash rather than by the wall clock. */
  get following(): boolean {
    return this.#forced.length > 0
  }

  /** Event time of the stream where what forcedHere() told of last was done. */
  get forcedTimeMs(): number {
    return this.#forcedTimeMs
  }

  /** What the wall clock did here: asked before the first record and after each while following. */
  forcedHere(): 'score' | 'learn' | 'publish' | { promote: string } | undefined {
    for (let [next] = this.#forced; next !== undefined && this.#isReached(next); [next] = this.#forced) {
      this.#forced.shift()
      this.#forcedTimeMs = next.eventTime
      if (next.trigger === 'linger') return next.kind === 'score' || next.kind === 'publish' ? next.kind : 'learn'
      if (next.kind === 'promote') return { promote: next.partitionName ?? '' }
      // The source knows what to do; here it only has its place.
      this.repeat(next)
    }
    return undefined
  }

  /** Writes an entry as it was. */
  repeat(entry: JournalRecord): void {
    this.#toldRecords = this.#position.records
    this.#append({ ...entry, seq: this.#seq++ })
  }

  /** The log ends before what is still followed, so it will never be reached: the wall clock takes over. Returns how many entries that were. */
  abandon(): number {
    return this.#forced.splice(0).length
  }

  #isReached({ consumed }: JournalRecord): boolean {
    const { nextOffsets } = this.#position
    return consumed.every(({ partition, offset }) => (nextOffsets[partition] ?? 0n) >= offset)
  }

  #write(
    kind: JournalRecord['kind'],
    step: number,
    trigger: FlushTrigger,
    examples: number,
    about: Partial<Pick<JournalRecord, 'records' | 'partition' | 'partitionName' | 'partitions' | 'offset'>> = {},
  ): void {
    const consumed = this.#position.nextOffsets.map((offset, partition) => ({ partition, offset }))
    this.#toldRecords = this.#position.records
    this.#append({
      seq: this.#seq++,
      step,
      kind,
      trigger,
      eventTime: this.#position.eventTimeMs,
      examples,
      consumed,
      records: this.#position.records,
      partition: -1,
      partitionName: null,
      ...about,
    })
  }
}

/** Entries that do not follow from the log. */
export function isByClock({ trigger }: JournalRecord): boolean {
  return trigger === 'linger' || trigger === 'clock' || trigger === 'hand'
}

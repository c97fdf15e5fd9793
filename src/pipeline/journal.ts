/**
 * The journal says which records made which step: with a checkpoint and the log it gives the exact model of any later
 * step. Batches closed by count, tick or the log's end follow from the log alone; those closed by the wall clock
 * (linger) do not, and for these the journal is read back after a crash: `forced` holds the entries behind the restored
 * checkpoint, and while there are any, the wall clock has no say.
 *
 * With one partition, or a source whose decisions are entries too (Kafka), that repeats the run exactly. Of several
 * partitions of a followed log folder, records that were merged by their arrival come in the order of their times now: a
 * batch is then closed as soon as every partition is as far as it was, which is near to where it was closed before but
 * not the same.
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

  /** A record was rejected because the registry did not know its schema. */
  unknownSchema(step: number, { partition, offset }: UnknownSchema): void {
    this.#write('unknown-schema', step, 'registry', 0, { partition, offset })
  }

  /** A user was erased, because this record said so. */
  erase(step: number, { partition, offset }: RecordPosition): void {
    this.#write('erase', step, 'erase', 0, { partition, offset })
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
  }

  /** After a crash: entries as the journal holds them; those behind the restored checkpoint that the wall clock closed are followed. */
  follow(entries: readonly JournalRecord[]): void {
    this.#forced = entries.filter(record => record.trigger === 'linger' && record.seq >= this.#seq)
  }

  /** Whether batches must still be closed as before the crash rather than by the wall clock. */
  get following(): boolean {
    return this.#forced.length > 0
  }

  /** What the wall clock did here: asked before the first record and after each while following. */
  forcedHere(): 'score' | 'learn' | 'publish' | undefined {
    const [next] = this.#forced
    const isReached = next?.consumed.every(
      ({ partition, offset }) => (this.#position.nextOffsets[partition] ?? 0n) >= offset,
    )
    if (next === undefined || isReached !== true) return undefined
    this.#forced.shift()
    return next.kind === 'score' || next.kind === 'publish' ? next.kind : 'learn'
  }

  /** The log ends before what is still followed, so it will never be reached: the wall clock takes over. Returns how many entries that were. */
  abandon(): number {
    return this.#forced.splice(0).length
  }

  #write(
    kind: JournalRecord['kind'],
    step: number,
    trigger: FlushTrigger,
    examples: number,
    about: Partial<Pick<JournalRecord, 'records' | 'partition' | 'partitionName' | 'partitions' | 'offset'>> = {},
  ): void {
    const consumed = this.#position.nextOffsets.map((offset, partition) => ({ partition, offset }))
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

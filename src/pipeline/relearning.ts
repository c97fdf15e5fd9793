/**
 * After a crash, what was committed behind the restored checkpoint is learned again: same records, same order, same
 * batches (the journal says where the wall clock had a say). Its outputs are out already and are dropped here, until the
 * source has repeated all of it; then finish() opens the gate, in the order of the answers, so that the first
 * output that counts is the first that was never committed.
 */
import { OUTPUT_NAMES, type Outputs, type Recovered } from '../sink/delivery.js'
import { type Sink, withAppend } from '../sink/sink.js'
import type { Dispatcher } from './dispatch.js'
import type { Journal } from './journal.js'

/** Outputs that can be held shut. */
export class OutputGate {
  readonly outputs: Outputs
  #isOpen = true

  constructor(outputs: Outputs) {
    const gated = <T>(sink: Sink<T>): Sink<T> =>
      withAppend(sink, record => {
        if (this.#isOpen) sink.append(record)
      })
    this.outputs = Object.fromEntries(
      OUTPUT_NAMES.map(name => [name, gated(outputs[name] as Sink<unknown>)]),
    ) as unknown as Outputs
  }

  shut(): void {
    this.#isOpen = false
  }

  open(): void {
    this.#isOpen = true
  }
}

export class Relearning {
  readonly #gate: OutputGate
  readonly #journal: Journal
  readonly #nextSeq: number

  constructor(recovered: Recovered, gate: OutputGate, journal: Journal) {
    this.#gate = gate
    this.#journal = journal
    this.#nextSeq = (recovered.journal.at(-1)?.seq ?? journal.seq - 1) + 1
    gate.shut()
  }

  /** When the source has repeated everything: what is sent from now on is new. Returns whether versions were published otherwise. */
  finish(dispatcher: Dispatcher): boolean {
    this.#journal.restore(this.#nextSeq)
    dispatcher.inOrder(() => this.#gate.open())
    return dispatcher.endRelearning()
  }
}

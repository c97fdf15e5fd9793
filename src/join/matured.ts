import type { JoinCounters, JoinPorts } from './ports.js'

/** The labels of one example, filled in task by task and handed over; one buffer for all of them. */
export class Matured {
  readonly #labels: Float32Array
  readonly #mask: Uint8Array
  readonly #ports: JoinPorts
  readonly #counters: JoinCounters
  #any = false

  constructor(tasks: number, ports: JoinPorts, counters: JoinCounters) {
    this.#labels = new Float32Array(tasks)
    this.#mask = new Uint8Array(tasks)
    this.#ports = ports
    this.#counters = counters
  }

  set(task: number, label: number): void {
    this.#labels[task] = label
    this.#mask[task] = 1
    this.#any = true
  }

  /** Hands the labels over, if there are any, and starts afresh. */
  send(row: number, fresh: boolean, timeMs: number): void {
    if (!this.#any) return
    this.#counters.matured++
    this.#ports.mature(row, this.#labels, this.#mask, fresh, timeMs)
    this.#labels.fill(0)
    this.#mask.fill(0)
    this.#any = false
  }
}

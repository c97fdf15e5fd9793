import { MASK_COUNTED, MASK_REACHED } from '../domain/example.js'
import type { LabelPlan } from './label.js'
import type { JoinCounters, JoinPorts } from './ports.js'

/** The labels of one example, filled in task by task and handed over; one buffer for all of them. */
export class Matured {
  readonly #given: LabelPlan['given']
  readonly #labels: Float32Array
  readonly #mask: Uint8Array
  readonly #ports: JoinPorts
  readonly #counters: JoinCounters
  #any = false

  constructor({ tasks, given }: LabelPlan, ports: JoinPorts, counters: JoinCounters) {
    this.#given = given
    this.#labels = new Float32Array(tasks)
    this.#mask = new Uint8Array(tasks)
    this.#ports = ports
    this.#counters = counters
  }

  /** reached: the label of the task that this one is given is positive; a positive label implies it. */
  set(task: number, label: number, reached: boolean): void {
    this.#labels[task] = label
    const goesOn = (this.#given[task] ?? -1) >= 0 && (reached || label > 0)
    this.#mask[task] = goesOn ? MASK_COUNTED | MASK_REACHED : MASK_COUNTED
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

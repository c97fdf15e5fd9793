import { MASK_COUNTED, MASK_JUDGED, MASK_REACHED, MASK_STEP_TAKEN_BACK, MASK_TAKEN_BACK } from '../domain/example.js'
import type { LabelPlan } from './label.js'
import type { JoinCounters, JoinPorts } from './ports.js'

/** The labels of one example, filled in task by task and handed over; one buffer for all of them. */
export class Matured {
  readonly #given: LabelPlan['given']
  readonly #duplicates: LabelPlan['duplicates']
  readonly #labels: Float32Array
  readonly #mask: Uint8Array
  readonly #ports: JoinPorts
  readonly #counters: JoinCounters
  #any = false

  constructor({ tasks, given, duplicates }: LabelPlan, ports: JoinPorts, counters: JoinCounters) {
    this.#given = given
    this.#duplicates = duplicates
    this.#labels = new Float32Array(tasks)
    this.#mask = new Uint8Array(tasks)
    this.#ports = ports
    this.#counters = counters
  }

  /** A label to learn from. reached: that of the task that this one is given is positive; a positive label implies it. */
  learn(task: number, label: number, reached: boolean): void {
    const goesOn = this.#isStep(task) && (reached || label > 0)
    this.#add(task, label, goesOn ? MASK_COUNTED | MASK_REACHED : MASK_COUNTED)
  }

  /** The label is final. */
  judge(task: number, label: number): void {
    this.#add(task, label, MASK_JUDGED)
  }

  /** Of an example that begins with what the task is given: nothing is known of the entire space. */
  learnStep(task: number, label: number): void {
    this.#add(task, label, MASK_REACHED)
  }

  /** The label is positive after all. wasLearned: as 0. reached: the step was learned as 0. */
  late(task: number, label: number, reached: boolean, wasLearned: boolean): void {
    const entire = this.#duplicates[task] === true || !wasLearned ? MASK_COUNTED : MASK_TAKEN_BACK
    this.#add(task, label, this.#isStep(task) ? entire | this.#lateStep(task, reached) : entire)
  }

  /** The same of an example that begins with what the task is given. */
  lateStep(task: number, label: number, reached: boolean): void {
    this.#add(task, label, this.#lateStep(task, reached))
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

  #lateStep(task: number, reached: boolean): number {
    return reached && this.#duplicates[task] !== true ? MASK_STEP_TAKEN_BACK : MASK_REACHED
  }

  #isStep(task: number): boolean {
    return (this.#given[task] ?? -1) >= 0
  }

  #add(task: number, label: number, bits: number): void {
    this.#labels[task] = label
    this.#mask[task] = (this.#mask[task] ?? 0) | bits
    this.#any = true
  }
}

/**
 * Two-speed learning: per task a bank of fast parts, which learn at every label, and a stack, which makes one prediction
 * of the bank, the deep part and the other tasks' banks. Every part learns from the labels alone.
 *
 * A task that is `given` another (a buy given a click) is learned where the other happened: its bank and stack say
 * p(buy | click); its prediction is the product with the other's prediction, recalibrated by a last stack on
 * [logit of the product, 1] that learns from every label.
 *
 * What was learned as 0 and is 1 after all is taken back (see domain/example.ts for when): each part moves by the
 * difference of the two gradients.
 *
 * Notes: what an example must keep until its labels come, [tasks, NOTES] floats. predict() writes them, learn() reads
 * them: the stacks learn only from predictions made before the label. A deep prediction that is no number is replaced
 * by the mean of the bank, so that a dead network neither stops an answer nor spoils the stack.
 */

import type { TaskConfig } from '../../config/schema.js'
import { MillraceError } from '../../domain/errors.js'
import { MASK_COUNTED, MASK_REACHED, MASK_STEP_TAKEN_BACK, MASK_TAKEN_BACK } from '../../domain/example.js'
import { isProbability, outcomeOf } from '../../domain/heads.js'
import type { StateArray } from '../../domain/state.js'
import { sampledLogOdds } from '../kept-negatives.js'
import { type LabelScale, labelScale } from '../label-scale.js'
import { Stack } from '../stack/stack.kernel.js'
import { ID_BIASES, MEMBERS } from './constants.js'
import { BLOCK, FactorMachine, type MeanWord, type ValueRecords } from './factor-machine.kernel.js'
import { type Link, logit, sigmoid } from './link.js'

/** Of one task: the bank's predictions, the deep part's, the logit of the product. */
export const NOTES = MEMBERS + 2
const DEEP = MEMBERS
const PRODUCT = MEMBERS + 1
/** No deep part can be so sure that what is given is followed by what is predicted. */
const MOST_GIVEN = 0.99
/** The product is nearly calibrated, and what it predicts is rare: few labels must not move it far. */
const PRODUCT_RIDGE = 1000

interface FastTask {
  head: TaskConfig['head']
  link: Link
  centre: number
  scale: number
  /** In natural units; centre and scale are as labels are learned. */
  lowest: number
  highest: number
  transform: LabelScale | undefined
  bank: FactorMachine[]
  stack: Stack
  /** Index of the task that must have happened, and the recalibration of the product; -1 without. */
  given: number
  product: Stack | undefined
  /** Late positives are weighted, not taken back. */
  fakeNegatives: boolean
  /** Of what is learned in the entire space, see kept-negatives.ts; and of what bank and stack learn. */
  logOdds: number
  ownLogOdds: number
}

export class TwoSpeed {
  readonly #tasks: FastTask[]

  /** inputs: places of the numeric inputs that count here. firstWord: where the blocks begin in a record. */
  constructor(tasks: readonly TaskConfig[], inputs: readonly number[], firstWord: number) {
    const places = Int32Array.from(inputs)
    this.#tasks = tasks.map((task, t) => {
      const [lowest, highest] = task.range ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]
      const link = isProbability(task.head) ? 'logistic' : 'gaussian'
      const given = tasks.findIndex(other => other.name === task.given)
      const transform = labelScale(task)
      const [low, high] = transform === undefined ? [lowest, highest] : [transform.to(lowest), transform.to(highest)]
      return {
        head: task.head,
        link,
        centre: link === 'logistic' ? 0 : (low + high) / 2,
        scale: link === 'logistic' ? 1 : (high - low) / 4,
        lowest,
        highest,
        transform,
        bank: ID_BIASES.map(
          (prior, m) => new FactorMachine(link, firstWord + (t * MEMBERS + m) * BLOCK, prior, places),
        ),
        stack: new Stack(link, stackStart(tasks.length)),
        given,
        product: given < 0 ? undefined : new Stack('logistic', [1], PRODUCT_RIDGE),
        logOdds: sampledLogOdds(task.label),
        ownLogOdds: given < 0 ? sampledLogOdds(task.label) : 0,
        fakeNegatives: task.label.late === 'fake-negative-weighted',
      }
    })
  }

  /** Words of a record that the bank needs. */
  static words(tasks: number): number {
    return tasks * MEMBERS * BLOCK
  }

  /** Those of them that predictions need: all means. */
  publishedNumbers(): MeanWord[] {
    return this.#tasks.flatMap(({ bank }) => bank.flatMap(machine => machine.meanWords()))
  }

  /** A value's record comes into being, at word `at`; startVector(at) draws a block's factor means. */
  startRecord(record: Float32Array, at: number, isId: boolean, startVector: (at: number) => void): void {
    for (const { bank } of this.#tasks) {
      for (const machine of bank) machine.startBlock(record, at, isId, startVector)
    }
  }

  /** The record of an id, as far as it is a task's: see FactorMachine. */
  forgetRecord(record: Float32Array, at: number, task: number, share: number): void {
    for (const machine of this.#tasks[task]!.bank) machine.forgetBlock(record, at, share)
  }

  /**
   * The example's predictions in natural units, into scores [tasks] from `score` on, and its notes from `note` on.
   * dense: numeric inputs from `input` on. deep: the deep part's predictions in natural units from `deepAt` on.
   */
  predict(
    records: ValueRecords,
    dense: Float32Array,
    input: number,
    deep: Float32Array,
    deepAt: number,
    scores: Float32Array,
    score: number,
    notes: Float32Array,
    note: number,
  ): void {
    const tasks = this.#tasks
    for (let t = 0; t < tasks.length; t++) {
      const { bank } = tasks[t]!
      const at = note + t * NOTES
      let sum = 0
      for (let m = 0; m < MEMBERS; m++) {
        const z = bank[m]!.predict(records, dense, input)
        notes[at + m] = z
        sum += z
      }
      const z = this.#deepLatent(t, deep, deepAt)
      notes[at + DEEP] = Number.isFinite(z) ? z : sum / MEMBERS
    }
    for (let t = 0; t < tasks.length; t++) {
      const task = tasks[t]!
      this.#fillStack(t, notes, note)
      const z = task.stack.predict()
      if (task.link === 'gaussian') {
        const learned = task.centre + task.scale * z
        const value = task.transform === undefined ? learned : task.transform.from(learned)
        scores[score + t] = Math.max(task.lowest, Math.min(task.highest, value))
        continue
      }
      let probability = sigmoid(z)
      if (task.product !== undefined) {
        const product = logit(probability * scores[score + task.given]!)
        notes[note + t * NOTES + PRODUCT] = product
        task.product.inputs[0] = product
        probability = sigmoid(task.product.predict())
      }
      scores[score + t] = probability
    }
  }

  /**
   * labels, mask: [tasks] from `label` on, natural units. notes: as predict() left them. isPredicted: predict() was called
   * for this example last, by records that are now as they were then; so its sums are still there.
   */
  learn(
    records: ValueRecords,
    dense: Float32Array,
    input: number,
    labels: Float32Array,
    mask: Uint8Array,
    label: number,
    notes: Float32Array,
    note: number,
    isPredicted: boolean,
  ): void {
    const tasks = this.#tasks
    for (let t = 0; t < tasks.length; t++) {
      const bits = mask[label + t]!
      if (bits === 0) continue
      const task = tasks[t]!
      const { product, stack, bank, fakeNegatives, logOdds, ownLogOdds } = task
      const y = (toLearned(task, outcomeOf(task.head, labels[label + t]!)) - task.centre) / task.scale
      if (product !== undefined) {
        product.inputs[0] = notes[note + t * NOTES + PRODUCT]!
        if ((bits & MASK_COUNTED) !== 0) product.learn(y, fakeNegatives, logOdds)
        else if ((bits & MASK_TAKEN_BACK) !== 0) product.takeBack()
      }
      const isLearned = (bits & (product === undefined ? MASK_COUNTED : MASK_REACHED)) !== 0
      const isTakenBack = (bits & (product === undefined ? MASK_TAKEN_BACK : MASK_STEP_TAKEN_BACK)) !== 0
      if (!isLearned && !isTakenBack) continue
      this.#fillStack(t, notes, note)
      if (isLearned) stack.learn(y, fakeNegatives, ownLogOdds)
      else stack.takeBack()
      for (let m = 0; m < MEMBERS; m++) {
        if (!isPredicted) bank[m]!.predict(records, dense, input)
        if (isLearned) bank[m]!.learn(records, dense, input, y, fakeNegatives, ownLogOdds)
        else bank[m]!.takeBack(records, dense, input, ownLogOdds)
      }
    }
  }

  /**
   * By task: what each member adds to its prediction, in latent units (logit; label / scale), as predict() left the notes:
   * the stack's weight times the member's say. Of a product they are those of p(this | given).
   */
  contributions(names: readonly string[], notes: Float32Array, note: number): { name: string; value: number }[][] {
    return this.#tasks.map(({ stack }, t) => {
      this.#fillStack(t, notes, note)
      const members = Array.from({ length: MEMBERS }, (_, m) => `fast ${ID_BIASES[m]}`)
      const others = names.flatMap((name, other) => (other === t ? [] : members.map(member => `${name}: ${member}`)))
      return [...members, 'network', ...others, 'constant'].map((name, at) => {
        return { name, value: stack.weights[at]! * stack.inputs[at]! }
      })
    })
  }

  /** What predictions need of the rest. */
  publishArrays(): Record<string, Float64Array> {
    return { shared: join(this.#predicting()) }
  }

  applyArrays({ shared }: Record<string, StateArray>): void {
    split(shared, this.#predicting())
  }

  /** What does not lie in the records: constants, numeric weights, stacks. */
  saveArrays(): Record<string, Float64Array> {
    return { shared: join(this.#arrays()) }
  }

  loadArrays({ shared }: Record<string, StateArray>): void {
    split(shared, this.#arrays())
  }

  #predicting(): Float64Array[] {
    return this.#tasks.flatMap(({ bank, stack, product }) => [
      ...bank.map(({ means }) => means),
      ...[stack, ...(product === undefined ? [] : [product])].map(({ weights }) => weights),
    ])
  }

  #arrays(): Float64Array[] {
    return this.#tasks.flatMap(({ bank, stack, product }) => [
      ...bank.flatMap(({ means, variances }) => [means, variances]),
      ...[stack, ...(product === undefined ? [] : [product])].flatMap(({ weights, information }) => [
        weights,
        information,
      ]),
    ])
  }

  #deepLatent(t: number, deep: Float32Array, deepAt: number): number {
    const task = this.#tasks[t]!
    const { link, centre, scale, given } = task
    const value = deep[deepAt + t]!
    if (link === 'gaussian') return (toLearned(task, value) - centre) / scale
    return logit(given < 0 ? value : Math.min(MOST_GIVEN, value / deep[deepAt + given]!))
  }

  #fillStack(t: number, notes: Float32Array, note: number): void {
    const { inputs } = this.#tasks[t]!.stack
    const own = note + t * NOTES
    for (let m = 0; m <= MEMBERS; m++) inputs[m] = notes[own + m]!
    let to = MEMBERS + 1
    for (let other = 0; other < this.#tasks.length; other++) {
      if (other === t) continue
      for (let m = 0; m < MEMBERS; m++) inputs[to++] = notes[note + other * NOTES + m]!
    }
  }
}

function toLearned({ transform }: FastTask, value: number): number {
  return transform === undefined ? value : transform.to(value)
}

function join(arrays: readonly Float64Array[]): Float64Array {
  const all = new Float64Array(arrays.reduce((sum, array) => sum + array.length, 0))
  let to = 0
  for (const array of arrays) {
    all.set(array, to)
    to += array.length
  }
  return all
}

function split(all: StateArray | undefined, arrays: readonly Float64Array[]): void {
  const length = arrays.reduce((sum, array) => sum + array.length, 0)
  if (!(all instanceof Float64Array) || all.length !== length) {
    throw new MillraceError('CHECKPOINT_INCOMPATIBLE', 'the saved fast part is of other tasks or numeric inputs')
  }
  let from = 0
  for (const array of arrays) {
    array.set(all.subarray(from, from + array.length))
    from += array.length
  }
}

/** Bank and deep part share alike; related tasks say nothing yet. */
function stackStart(tasks: number): number[] {
  const own = MEMBERS + 1
  return [...new Array<number>(own).fill(1 / own), ...new Array<number>((tasks - 1) * MEMBERS).fill(0)]
}

/** Off-policy evaluation as the laboratory has it: rows in, an estimate or a refusal out. */
import type { Config, TaskConfig } from '../../config/schema.js'
import { rankScoreOf } from '../../domain/prediction.js'
import { Blocks } from '../sampling/blocks.js'
import { OffPolicy, type PolicyFindings } from './off-policy.js'
import { Pages, type Placed } from './pages.js'

export class PolicyJudge {
  readonly #reward: string
  readonly #refused: string | undefined
  readonly #task: number
  readonly #ranks: readonly number[]
  /** The one found last is that of the impression that is judged now. */
  readonly #blocks: Blocks
  readonly #estimator = new OffPolicy()
  readonly #pages: Pages
  #counts = false

  constructor(
    { tasks, features, evaluate }: Pick<Config, 'tasks' | 'features' | 'evaluate'>,
    { reward, propensity }: NonNullable<Config['evaluate']['policy']>,
  ) {
    this.#reward = reward
    this.#task = tasks.findIndex(({ name }) => name === reward)
    this.#ranks = tasks.map((task: TaskConfig) => task.rank)
    this.#blocks = new Blocks(evaluate.interval === 'day' ? 'day' : 'user')
    const placed = features.slots.find(({ from }) => from === 'position')
    if (placed !== undefined)
      this.#refused = `The scores depend on the place where an item was shown (slot '${placed.name}'), so the new order would follow the logged one: leave the slot out.`
    this.#pages = new Pages(propensity, page =>
      this.#estimator.add(page, this.#blocks.lo, this.#blocks.hi, this.#counts),
    )
  }

  get task(): number {
    return this.#task
  }

  arrive(row: number, subject: Placed, tie: number): void {
    if (this.#refused === undefined) this.#pages.arrive(row, subject, tie)
  }

  /** values: the row's scores of all tasks, from `at` on. lo, hi: key of the user. */
  judged(
    row: number,
    { values, at, label }: { values: Float32Array; at: number; label: number },
    { lo, hi, timeMs, counts }: { lo: number; hi: number; timeMs: number; counts: boolean },
  ): void {
    const score = rankScoreOf(this.#ranks, values, at)
    this.#blocks.find(lo, hi, timeMs)
    this.#counts = counts
    this.#pages.judged(row, score, values[at + this.#task] ?? 0, label >= 0.5 ? 1 : 0)
  }

  result(): PolicyFindings {
    if (this.#refused !== undefined)
      return { reward: this.#reward, pages: 0, impressions: 0, effective: 0, meanWeight: 0, refused: this.#refused }
    return this.#estimator.result(this.#reward, this.#pages)
  }
}

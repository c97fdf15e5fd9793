/**
 * Pretrained embeddings as dense inputs: the vector of the subject's profile, as of now, scaled to a length that its
 * numbers can compare with the standardised ones beside them; zeros where there is none. The first layer of the network
 * is the learned projection, one of each embedding, summed.
 */
import type { EmbeddingConfig } from '../config/embeddings-schema.js'
import { ITEM, USER } from './entities.kernel.js'
import type { KeyedState } from './keyed-state.kernel.js'

/** Length of a vector among the inputs, whatever it had: that of so many standardised numbers, squared. */
const LENGTH = 4

export class EmbeddingInputs {
  readonly #config: readonly EmbeddingConfig[]
  /** Of those of its side, which one it is. */
  readonly #nth: Int32Array
  readonly #state: KeyedState

  constructor(config: readonly EmbeddingConfig[], state: KeyedState) {
    this.#config = config
    this.#nth = Int32Array.from(
      config,
      ({ from }, at) => config.slice(0, at).filter(other => other.from === from).length,
    )
    this.#state = state
  }

  /** Of the subject that was looked at last. dense: [.., inputs], zeroed, written from `at` on. */
  write(dense: Float32Array, at: number): void {
    for (let index = 0; index < this.#config.length; index++) {
      const { from, size } = this.#config[index]!
      const side = from === 'user' ? USER : ITEM
      const row = this.#state.entities.rows[side]!
      if (row >= 0) this.#state.profiles[side].readVector(row, this.#nth[index]!, dense, at, LENGTH)
      at += size
    }
  }
}

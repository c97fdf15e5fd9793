import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createOnnxBackend } from '../../../src/backend/onnx.js'
import { DeepModel } from '../../../src/model/deep-model.js'
import { Random } from '../../../src/std/random.js'
import { deepSpec } from './deep-spec.js'

/**
 * A planted world like a small rating log: users and items have hidden vectors and biases; a click follows their product
 * through a sigmoid, a rating (of clicked items only) follows it with noise. The model sees ids and one numeric feature.
 */
const USERS = 60
const ITEMS = 80
const DIM = 8
const BATCH = 32
const STEPS = 700
const ROW_RATE = 0.1
const BIAS_RATE = 0.1
const TASKS = [
  { name: 'click' },
  { name: 'rating', head: 'regression', range: [1, 5] },
  { name: 'stars', head: 'ordinal', range: [1, 5] },
]

/** Rows with one accumulator each (row-wise Adagrad), as the learner's tables have. */
class Rows {
  readonly values: Float64Array
  readonly #squares: Float64Array
  readonly #dim: number

  constructor(rows: number, dim: number, deviation: number, random: Random) {
    this.values = Float64Array.from({ length: rows * dim }, () => deviation * random.normal())
    this.#squares = new Float64Array(rows).fill(0.1)
    this.#dim = dim
  }

  move(row: number, gradient: Float32Array, rate: number): void {
    const mean = gradient.reduce((sum, g) => sum + g * g, 0) / this.#dim
    this.#squares[row]! += mean
    const step = rate / Math.sqrt(this.#squares[row]!)
    for (const [j, g] of gradient.entries()) this.values[row * this.#dim + j]! -= step * g
  }
}

interface Scores {
  clickAuc: number
  ratingRmse: number
  starsRmse: number
  /** Of always saying the mean. */
  chanceRmse: number
  /** Of the planted probabilities and ratings. */
  bestAuc: number
  /** Of the planted biases: the best that a model without pairs of ids could do. */
  biasAuc: number
  bestRmse: number
  lastWeights: number[]
}

function auc(scored: readonly { score: number; positive: boolean }[]): number {
  let [positives, above] = [0, 0]
  const sorted = [...scored].sort((a, b) => a.score - b.score)
  for (const [rank, { positive }] of sorted.entries()) {
    if (!positive) continue
    above += rank - positives
    positives++
  }
  return above / (positives * (scored.length - positives))
}

const rmse = (errors: readonly number[]) => Math.sqrt(errors.reduce((sum, e) => sum + e * e, 0) / errors.length)

async function learnPlanted(architecture: string, method: string): Promise<Scores> {
  const random = new Random(7)
  const normals = (n: number, deviation: number) => Float64Array.from({ length: n }, () => deviation * random.normal())
  const [u, v] = [normals(USERS * 3, 0.8), normals(ITEMS * 3, 0.8)]
  const [bu, bi] = [normals(USERS, 0.6), normals(ITEMS, 0.8)]
  const withoutPairs = (user: number, item: number, x: number) => bu[user]! + bi[item]! + 0.5 * x
  const truth = (user: number, item: number, x: number) =>
    withoutPairs(user, item, x) + [0, 1, 2].reduce((sum, f) => sum + u[user * 3 + f]! * v[item * 3 + f]!, 0)

  const settings = deepSpec({
    tasks: TASKS,
    slots: 2,
    dense: 1,
    model: { architecture, dim: DIM, hidden: [32, 16], experts: 2, tower: 8 },
    optimizer: { rate: 0.004 },
    weights: { method },
  })
  const backend = await createOnnxBackend({ threads: 1 })
  const deep = await DeepModel.create(settings, backend)
  const rows = [new Rows(USERS, DIM, 0.1, random), new Rows(ITEMS, DIM, 0.1, random)]
  const biases = [new Rows(USERS, 3, 0, random), new Rows(ITEMS, 3, 0, random)]
  const clicks: { score: number; best: number; bias: number; positive: boolean }[] = []
  const errors: { rating: number; stars: number; mean: number; best: number }[] = []
  let lastWeights: number[] = []
  for (let step = 0; step < STEPS; step++) {
    const ids = Array.from({ length: BATCH }, () => [random.integer(USERS), random.integer(ITEMS)])
    const dense = Float32Array.from({ length: BATCH }, () => random.normal())
    const embedded = new Float32Array(BATCH * 2 * DIM)
    const offset = new Float32Array(BATCH * 3)
    const labels = new Float32Array(BATCH * 3)
    const mask = new Uint8Array(BATCH * 3)
    const logits = ids.map(([user, item], i) => truth(user!, item!, dense[i]!) - 1)
    const ratings = logits.map(z => Math.min(Math.max(Math.round(3.4 + 0.8 * z + 0.5 * random.normal()), 1), 5))
    for (const [i, pair] of ids.entries()) {
      for (const [s, id] of pair.entries()) {
        embedded.set(rows[s]!.values.subarray(id * DIM, (id + 1) * DIM), (i * 2 + s) * DIM)
        for (let k = 0; k < 3; k++) offset[i * 3 + k]! += biases[s]!.values[id * 3 + k]!
      }
      const clicked = random.uniform() < 1 / (1 + Math.exp(-logits[i]!))
      labels.set([Number(clicked), ratings[i]!, ratings[i]!], i * 3)
      mask.set([1, Number(clicked), Number(clicked)], i * 3)
    }
    const result = await deep.learn({ n: BATCH, embedded, dense, offset }, labels, mask)
    for (const [i, pair] of ids.entries()) {
      for (const [s, id] of pair.entries()) {
        const at = (i * 2 + s) * DIM
        rows[s]!.move(id, result.embeddedGradient.subarray(at, at + DIM), ROW_RATE)
        biases[s]!.move(id, result.offsetGradient.subarray(i * 3, i * 3 + 3), BIAS_RATE)
      }
      if (step < STEPS / 2) continue
      const bias = withoutPairs(pair[0]!, pair[1]!, dense[i]!)
      clicks.push({ score: result.values[i * 3]!, best: logits[i]!, bias, positive: labels[i * 3] === 1 })
      if (mask[i * 3 + 1] === 0) continue
      const rating = ratings[i]!
      const best = Math.min(Math.max(3.4 + 0.8 * logits[i]!, 1), 5) - rating
      errors.push({
        rating: result.values[i * 3 + 1]! - rating,
        stars: result.values[i * 3 + 2]! - rating,
        mean: rating,
        best,
      })
    }
    lastWeights = [...result.taskWeights]
  }
  await deep.close()
  await backend.close()
  const mean = errors.reduce((sum, e) => sum + e.mean, 0) / errors.length
  return {
    clickAuc: auc(clicks),
    bestAuc: auc(clicks.map(({ best, positive }) => ({ score: best, positive }))),
    biasAuc: auc(clicks.map(({ bias, positive }) => ({ score: bias, positive }))),
    ratingRmse: rmse(errors.map(e => e.rating)),
    starsRmse: rmse(errors.map(e => e.stars)),
    chanceRmse: rmse(errors.map(e => e.mean - mean)),
    bestRmse: rmse(errors.map(e => e.best)),
    lastWeights,
  }
}

for (const architecture of ['single-task', 'shared-bottom', 'mmoe']) {
  for (const method of ['manual', 'uncertainty', 'gradnorm']) {
    test(`recovers a planted model, all tasks well above chance: ${architecture}, ${method}`, async () => {
      const scores = await learnPlanted(architecture, method)
      // Ranking clicks needs the pairs: the planted biases are all that a model of single ids could find.
      assert.ok(scores.clickAuc > scores.biasAuc + 0.01, `AUC ${scores.clickAuc}, biases alone ${scores.biasAuc}`)
      // Well over half of the way from chance to the planted truth, which itself can not foresee the noise.
      for (const error of [scores.ratingRmse, scores.starsRmse]) {
        const reached = (scores.chanceRmse - error) / (scores.chanceRmse - scores.bestRmse)
        assert.ok(reached > 0.6, `RMSE ${error}, chance ${scores.chanceRmse}, truth ${scores.bestRmse}`)
      }
    })
  }
}

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PoissonWeights } from '../../../../src/evaluate/sampling/poisson-weights.kernel.js'
import { type SampledLine, Sampling } from '../../../../src/evaluate/sampling/sampling.js'
import { Random } from '../../../../src/std/random.js'

const DAY_MS = 86_400_000

function spread(figures: readonly (number | null)[]): number {
  const known = figures.map(figure => figure ?? Number.NaN)
  const mean = known.reduce((sum, figure) => sum + figure, 0) / known.length
  return Math.sqrt(known.reduce((sum, figure) => sum + (figure - mean) ** 2, 0) / (known.length - 1))
}

function lineOf(sampling: Sampling, name: string): SampledLine {
  const line = sampling.result().lines[name]
  assert.ok(line)
  return line
}

test('weights are Poisson(1), the same for a block whenever it is asked for, and apart for others', () => {
  const poisson = new PoissonWeights(400)
  const counts = new Float64Array(9)
  for (let block = 0; block < 500; block++) for (const weight of poisson.of(block, 7)) counts[weight]!++
  const shares = Array.from(counts, count => count / 200_000)
  for (const [weight, share] of [0.36788, 0.36788, 0.18394, 0.06131, 0.01533].entries()) {
    assert.ok(Math.abs(shares[weight]! - share) < 0.005, `${weight}: ${shares[weight]}`)
  }
  const first = poisson.of(3, 4).slice()
  for (const [lo, hi] of [
    [4, 3],
    [3, 5],
    [2, 4],
  ] as const)
    assert.notDeepEqual(poisson.of(lo, hi).slice(), first)
  assert.deepEqual(poisson.of(3, 4), first)
})

test('the spread of a mean is the cluster-robust standard error, not that of single examples', () => {
  const random = new Random(5)
  const sampling = new Sampling('user', [{ name: 'rating', kind: 'numeric' }])
  const users = 300
  const errors = Array.from({ length: users }, () => {
    const own = random.normal()
    return Array.from({ length: 5 + random.integer(40) }, () => Math.abs(own + 0.3 * random.normal()))
  })
  for (const [user, list] of errors.entries()) {
    for (const error of list) {
      sampling.example(user, 0, 0)
      sampling.add(0, error, 0)
    }
  }
  const all = errors.flat()
  const mean = all.reduce((sum, error) => sum + error, 0) / all.length
  // The linearised variance of a ratio of sums over clusters (Cochran 1977, 6.13).
  const clustered = Math.sqrt(
    errors.reduce((sum, list) => sum + list.reduce((a, error) => a + error - mean, 0) ** 2, 0) / all.length ** 2,
  )
  const single = Math.sqrt(all.reduce((sum, error) => sum + (error - mean) ** 2, 0)) / all.length
  const found = spread(lineOf(sampling, 'rating').figures.mae ?? [])
  assert.ok(Math.abs(found / clustered - 1) < 0.15, `${found} against ${clustered}`)
  assert.ok(found > 2 * single)
})

test("a replicate's AUC is the share of weighted pairs, pairs of different users included", () => {
  const random = new Random(9)
  const sampling = new Sampling('user', [{ name: 'click', kind: 'binary' }])
  const rows = Array.from({ length: 600 }, (_, index) => ({
    user: index % 40,
    score: 1 / (1 + Math.exp(-(2 * random.normal()))),
    label: 0,
  }))
  for (const row of rows) row.label = random.uniform() < row.score ? 1 : 0
  for (const { user, score, label } of rows) {
    sampling.example(user, 0, 0)
    sampling.add(0, score, label)
  }
  const { auc = [] } = lineOf(sampling, 'click').figures
  const poisson = new PoissonWeights(auc.length)
  const weights = Array.from({ length: 40 }, (_, user) => poisson.of(user, 0).slice())
  for (const replicate of [0, 17, 399]) {
    let won = 0
    let pairs = 0
    for (const yes of rows.filter(({ label }) => label === 1)) {
      for (const no of rows.filter(({ label }) => label === 0)) {
        const weight = weights[yes.user]![replicate]! * weights[no.user]![replicate]!
        pairs += weight
        won += weight * (yes.score > no.score ? 1 : yes.score === no.score ? 0.5 : 0)
      }
    }
    assert.ok(Math.abs((auc[replicate] ?? 0) - won / pairs) < 1e-3, `${replicate}: ${auc[replicate]}, ${won / pairs}`)
  }
})

test('the order of the examples does not matter, and days are blocks too', () => {
  const figures = [1, -1].map(direction => {
    const sampling = new Sampling('day', [{ name: 'next-item', kind: 'ranks' }])
    const ranks = [1, 4, 12, 2, 50, 1, 3, 7, 9, 30]
    for (const [index, rank] of direction > 0 ? [...ranks.entries()] : [...ranks.entries()].reverse()) {
      sampling.example(1, 1, Math.floor(index / 2) * DAY_MS + index)
      sampling.addRank(0, rank)
    }
    const { blocks, more, lines } = sampling.result()
    assert.deepEqual([blocks, more], [5, false])
    return lines['next-item']?.figures.recallAt10
  })
  assert.deepEqual(figures[0], figures[1])
})

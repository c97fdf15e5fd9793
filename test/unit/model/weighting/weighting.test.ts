import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { configSchema } from '../../../../src/config/schema.js'
import { boundedScale } from '../../../../src/model/weighting/bounded-scale.js'
import { createWeighting } from '../../../../src/model/weighting/create.js'
import { createGradNormWeighting } from '../../../../src/model/weighting/gradnorm.js'
import { createUncertaintyWeighting } from '../../../../src/model/weighting/uncertainty.js'
import type { StepEvidence, WeightingSettings } from '../../../../src/model/weighting/weighting.js'
import { Random } from '../../../../src/std/random.js'

const SETTINGS: WeightingSettings = { rate: 0.05, alpha: 1.5, bounds: [0.1, 8], warmup: 5, seed: 1 }
const PRIORS = [1, 2, 0.5]
const METHODS = Object.fromEntries(
  configSchema.shape.weights
    .unwrap()
    .shape.method.unwrap()
    .options.map(method => [
      method,
      () => createWeighting(PRIORS, { method, ...SETTINGS, bounds: [...SETTINGS.bounds] }, 1),
    ]),
)

/** Gradients of these norms, at angles that norms alone decide, so that some pairs agree and some do not. */
const evidence = (lossSums: number[], counts: number[], norms: number[] = [1, 1, 1]): StepEvidence => ({
  lossSums: Float64Array.from(lossSums),
  lossSumsAfter: Float64Array.from(lossSums, (loss, k) => loss * (0.9 - 0.1 * k)),
  counts: Float64Array.from(counts),
  gradientProducts: Float64Array.from(
    norms.flatMap((a, i) => norms.map((b, j) => a * b * (i === j ? 1 : Math.cos(3 * (i + j) + a + b) * 0.9))),
  ),
  gradientSquares: Float64Array.from(norms, norm => norm ** 2),
  gradientRepeats: Float64Array.from(norms, (norm, k) => norm ** 2 * (0.6 - 0.4 * k)),
})
const sum = (values: Iterable<number>) => [...values].reduce((total, value) => total + value, 0)

for (const [name, create] of Object.entries(METHODS)) {
  describe(`task weights by ${name}`, () => {
    test('are the priors during the warm-up', () => {
      const weighting = create()
      for (let step = 0; step < SETTINGS.warmup; step++) {
        assert.deepEqual([...weighting.weights], PRIORS)
        weighting.update(evidence([100, 0.1, 3], [10, 10, 10], [50, 1, 3]))
      }
      assert.deepEqual([...weighting.weights], PRIORS)
    })

    test('stay within the bounds around the priors under any evidence', () => {
      const weighting = create()
      const random = new Random(3)
      for (let step = 0; step < 3000; step++) {
        const wild = () => PRIORS.map((_, k) => 10 ** (random.normal() * 3) * (k === 0 ? 1e4 : 1))
        weighting.update(evidence(wild(), [random.integer(3), random.integer(50), 4], wild()))
        for (const [k, weight] of weighting.weights.entries()) {
          const [low, high] = [PRIORS[k]! * SETTINGS.bounds[0], PRIORS[k]! * SETTINGS.bounds[1]]
          if (name === 'rho') assert.ok(weight > 0 && weight < Number.POSITIVE_INFINITY)
          else assert.ok(weight >= low * (1 - 1e-9) && weight <= high * (1 + 1e-9), `${weight} at step ${step}`)
        }
        const relative = [...weighting.weights].map((weight, k) => weight / PRIORS[k]!)
        const widest = SETTINGS.bounds[1] / SETTINGS.bounds[0]
        assert.ok(Math.max(...relative) / Math.min(...relative) <= widest * (1 + 1e-9), `${relative} at step ${step}`)
      }
    })

    test('go on from their state as if nothing had happened', () => {
      const [whole, first, second] = [create(), create(), create()]
      const random = new Random(9)
      const step = () => evidence([random.uniform() * 9, random.uniform(), 2], [5, 3, random.integer(2)])
      for (let i = 0; i < 20; i++) {
        const one = step()
        whole.update(one)
        first.update(one)
      }
      second.state.set(first.state)
      second.restored()
      for (let i = 0; i < 20; i++) {
        const one = step()
        whole.update(one)
        second.update(one)
        assert.deepEqual(second.weights, whole.weights)
      }
      assert.deepEqual(second.state, whole.state)
    })
  })
}

test('uncertainty comes to rest where a weight is half the prior over the mean loss', () => {
  const weighting = createUncertaintyWeighting([1, 2], { ...SETTINGS, rate: 0.01 })
  for (let step = 0; step < 6000; step++) weighting.update(evidence([10 * 0.2, 4 * 1.5], [10, 4]))
  const [a = 0, b = 0] = weighting.weights
  assert.ok(Math.abs(a - 1 / (2 * 0.2)) < 0.05, `${a}`)
  assert.ok(Math.abs(b - 2 / (2 * 1.5)) < 0.02, `${b}`)
})

test('gradnorm evens out gradient norms when all tasks train at the same rate, and keeps the sum', () => {
  const weighting = createGradNormWeighting(PRIORS, { ...SETTINGS, bounds: [0.01, 100], rate: 0.01 })
  const norms = [4, 1, 2]
  for (let step = 0; step < 3000; step++) weighting.update(evidence([1, 1, 1], [1, 1, 1], norms))
  const relative = [...weighting.weights].map((weight, k) => (weight * norms[k]!) / PRIORS[k]!)
  for (const value of relative) assert.ok(Math.abs(value / relative[0]! - 1) < 0.05, `${relative}`)
  assert.ok(Math.abs(sum(weighting.weights) - sum(PRIORS)) < 1e-9)
})

test('gradnorm favours the task whose loss no longer falls', () => {
  const weighting = createGradNormWeighting([1, 1], { ...SETTINGS, bounds: [0.01, 100], rate: 0.01 })
  for (let step = 0; step < 300; step++) weighting.update(evidence([0.99 ** step, 1], [1, 1], [1, 1]))
  const [falling = 0, stuck = 0] = weighting.weights
  assert.ok(stuck > falling * 1.2, `${falling} ${stuck}`)
})

test('gradnorm lets alpha decide how much a slow task gains over one of larger gradients', () => {
  const after = (alpha: number) => {
    const weighting = createGradNormWeighting([1, 1], { ...SETTINGS, alpha, rate: 0.005, warmup: 0 })
    for (let step = 0; step < 300; step++) weighting.update(evidence([0.99 ** step, 1], [1, 1], [1, 1.5]))
    return (weighting.weights[1] ?? 0) / (weighting.weights[0] ?? 1)
  }
  const [ignored, mild, strong] = [0, 0.5, 1].map(after)
  assert.ok(ignored! < 0.7 && mild! > 1.2 * ignored! && strong! > 1.2 * mild!, `${[ignored, mild, strong]}`)
})

test('gradnorm leaves a task without labels in the batch where it was, up to the common scale', () => {
  const weighting = createGradNormWeighting([1, 1, 1], { ...SETTINGS, warmup: 0 })
  for (let step = 0; step < 10; step++) weighting.update(evidence([1, 1, 1], [1, 1, 1], [3, 1, 2]))
  const before = [...weighting.state]
  weighting.update(evidence([1, 1, 0], [1, 1, 0], [3, 1, 0]))
  for (let part = 1; part < 6; part++) assert.equal(weighting.state[1 + part * 3 + 2], before[1 + part * 3 + 2])
})

test('a scale within bounds sums to the priors, or comes as near as the bounds let it', () => {
  const random = new Random(5)
  for (let i = 0; i < 500; i++) {
    const priors = [1, 2, 3, 4].map(() => 0.1 + random.uniform() * 5)
    const weights = priors.map(prior => prior * 10 ** (random.normal() * 2))
    const scaled = boundedScale(weights, priors, [0.2, 3])
    assert.ok(Math.abs(sum(scaled) / sum(priors) - 1) < 1e-9)
    for (const [k, value] of scaled.entries()) {
      assert.ok(value >= priors[k]! * 0.2 - 1e-12 && value <= priors[k]! * 3 + 1e-12)
    }
  }
})

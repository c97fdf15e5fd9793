/**
 * The multiple of `weights` that sums to Σ priors with each weight clipped to prior × bounds. The clipped sum never falls
 * as the factor grows, so bisection on its logarithm finds it; 60 halvings are beyond double precision.
 */
export function boundedScale(
  weights: readonly number[],
  priors: readonly number[],
  bounds: readonly [number, number],
): number[] {
  const goal = priors.reduce((sum, prior) => sum + prior, 0)
  const scaled = (factor: number) =>
    weights.map((weight, k) => {
      const prior = priors[k] ?? 1
      return Math.min(Math.max(weight * factor, prior * bounds[0]), prior * bounds[1])
    })
  const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0)
  const plain = scaled(goal / total(weights))
  if (Math.abs(total(plain) - goal) <= 1e-12 * goal) return plain
  let [low, high] = [-40, 40]
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2
    if (total(scaled(Math.exp(middle))) < goal) low = middle
    else high = middle
  }
  return scaled(Math.exp(high))
}

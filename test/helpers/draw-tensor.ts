import type { Shape } from '../../src/graph/graph.js'
import type { Random } from '../../src/std/random.js'

/** Values of ±[0.2, 1.5] (only +, if positive): away from the kinks of relu, abs and log. */
export function drawTensor(random: Random, shape: Shape, batch: number, positive = false) {
  const dims = shape.map(dim => (dim === 'B' ? batch : dim))
  const size = dims.reduce((product, dim) => product * dim, 1)
  const data = Float32Array.from({ length: size }, () => {
    const magnitude = 0.2 + 1.3 * random.uniform()
    return positive || random.uniform() < 0.5 ? magnitude : -magnitude
  })
  return { data, dims }
}

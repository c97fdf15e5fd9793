/**
 * Minimises a convex function over the simplex {x ≥ 0, Σ x = 1}: pairwise steps of Frank–Wolfe (Lacoste-Julien & Jaggi
 * 2015), each from the coordinate with the largest partial derivative to the one with the smallest, as far as a golden
 * section says. For a handful of tasks, that is exact to ten digits in microseconds.
 */
const SWEEPS = 200
const GOLDEN = (Math.sqrt(5) - 1) / 2

export function minimiseOnSimplex(
  n: number,
  value: (x: readonly number[]) => number,
  gradient: (x: readonly number[]) => readonly number[],
): number[] {
  const x: number[] = new Array(n).fill(1 / n)
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const slope = gradient(x)
    let to = 0
    let from = -1
    for (let k = 0; k < n; k++) {
      if ((slope[k] ?? 0) < (slope[to] ?? 0)) to = k
      if ((x[k] ?? 0) > 0 && (from < 0 || (slope[k] ?? 0) > (slope[from] ?? 0))) from = k
    }
    const most = x[from] ?? 0
    const [atTo, atFrom] = [x[to] ?? 0, most]
    if (from < 0 || from === to || (slope[from] ?? 0) - (slope[to] ?? 0) <= 1e-14 * Math.abs(slope[from] ?? 0)) break
    const moved = (step: number) => {
      x[to] = atTo + step
      x[from] = atFrom - step
      return value(x)
    }
    moved(sectionSearch(moved, most))
  }
  return x
}

/** The argument within [0, most] of the least value of a convex function. */
function sectionSearch(f: (step: number) => number, most: number): number {
  let [low, high] = [0, most]
  let [left, right] = [high - GOLDEN * (high - low), low + GOLDEN * (high - low)]
  let [atLeft, atRight] = [f(left), f(right)]
  for (let i = 0; i < 60; i++) {
    if (atLeft <= atRight) {
      high = right
      right = left
      atRight = atLeft
      left = high - GOLDEN * (high - low)
      atLeft = f(left)
    } else {
      low = left
      left = right
      atLeft = atRight
      right = low + GOLDEN * (high - low)
      atRight = f(right)
    }
  }
  const middle = (low + high) / 2
  const best = f(middle)
  if (f(most) <= best) return most
  return f(0) <= best ? 0 : middle
}

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EDetector } from '../../../../src/evaluate/drift/e-detector.js'
import { Random } from '../../../../src/std/random.js'

/** Losses of a mean, noisy; a constant's are about 1, at most 8. */
function alarmsOf(means: readonly number[], labels: number, seed: number): number[] {
  const random = new Random(seed)
  const alarms: number[] = []
  let detector = new EDetector()
  for (let t = 0; t < means.length * labels; t++) {
    const mean = means[Math.floor(t / labels)] ?? 0
    const loss = mean * Math.min(8, -Math.log(1 - random.uniform()))
    const constant = Math.min(8, -Math.log(1 - random.uniform()))
    if (detector.update(loss / 8, constant / 8, 1)) alarms.push(t)
    if (t % 1003 !== 0) continue
    const copy = new EDetector()
    copy.loadNumbers(JSON.parse(JSON.stringify(detector.saveNumbers())))
    detector = copy
  }
  return alarms
}

test('a large rise is an alarm, once; noise, a fall and a small rise are none', () => {
  for (let seed = 1; seed <= 5; seed++) {
    assert.deepEqual(alarmsOf([0.7], 60_000, seed), [])
    assert.deepEqual(alarmsOf([0.7, 0.5, 0.51], 20_000, seed), [])
    const [first = 0, ...others] = alarmsOf([0.7, 1], 20_000, seed)
    assert.ok(first > 20_000 && first < 30_000, `the alarm was at ${first}`)
    assert.deepEqual(others, [], 'what there is now is what is compared with')
  }
})

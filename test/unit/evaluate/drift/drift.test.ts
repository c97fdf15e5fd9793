/** Against River: test/golden/drift/drift.py made drift.json, with the versions in it. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Adwin } from '../../../../src/evaluate/drift/adwin.js'
import { PageHinkley } from '../../../../src/evaluate/drift/page-hinkley.js'
import { packageRoot } from '../../../../src/std/package-root.js'

interface Golden {
  streams: {
    seed: number
    spread: number
    adwin: number[]
    pageHinkley: number[]
    /** Every 500 numbers: width and mean of ADWIN's window. */
    widths: [width: number, mean: number][]
  }[]
}

const golden = JSON.parse(readFileSync(join(packageRoot(), 'test/golden/drift/drift.json'), 'utf8')) as Golden
const LENGTH = 4000
const LEVELS = [0.2, 0.2, 0.35, 0.35, 0.15]

/** The generator of drift.py. */
function* stream(seed: number, spread: number): Generator<number> {
  let state = BigInt(seed)
  for (let t = 0; t < LENGTH; t++) {
    state = (1664525n * state + 1013904223n) % 2n ** 32n
    yield (Number(state) / 2 ** 32 + (LEVELS[Math.floor((t * 5) / LENGTH)] ?? 0)) * spread
  }
}

for (const { seed, spread, adwin, pageHinkley, widths } of golden.streams) {
  test(`alarms and windows are River's on stream ${seed} of spread ${spread}`, () => {
    let window = new Adwin()
    let sum = new PageHinkley({ threshold: 20 })
    const seen = { adwin: [] as number[], pageHinkley: [] as number[], widths: [] as [number, number][] }
    let t = 0
    for (const value of stream(seed, spread)) {
      if (window.update(value)) seen.adwin.push(t)
      if (sum.update(value)) seen.pageHinkley.push(t)
      if (t % 500 === 499) seen.widths.push([window.width, Number(window.mean.toFixed(9))])
      // Saved and loaded on the way, also right after an alarm.
      if (t % 97 === 0 || seen.adwin.at(-1) === t || seen.pageHinkley.at(-1) === t) {
        const copies = { window: new Adwin(), sum: new PageHinkley({ threshold: 20 }) }
        copies.window.loadNumbers(window.saveNumbers())
        copies.sum.loadNumbers(sum.saveNumbers())
        assert.deepEqual(copies.window.saveNumbers(), window.saveNumbers())
        ;({ window, sum } = copies)
      }
      t++
    }
    assert.deepEqual(seen, { adwin, pageHinkley, widths })
  })
}

test('a loss that falls is no alarm where only a rise counts', () => {
  const falls = Array.from({ length: 2000 }, (_, t) => (t < 1000 ? 1 : 0))
  const alarms = (detector: Adwin) => falls.filter(value => detector.update(value)).length
  assert.equal(alarms(new Adwin({ onlyRise: true })), 0)
  assert.equal(alarms(new Adwin()), 1)
})

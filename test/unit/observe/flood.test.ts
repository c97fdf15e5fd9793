import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFloodGate } from '../../../src/observe/flood.js'

test('of a million of a kind the first is said, then one every ten seconds with how many were not', () => {
  let nowMs = 0
  const next = createFloodGate({ nowMs: () => nowMs, monotonicMs: () => nowMs })
  const said: [ms: number, unsaid: number][] = []
  for (let i = 0; i < 1_000_000; i++) {
    nowMs = i / 40
    const unsaid = next('undecodable')
    if (unsaid !== undefined) said.push([nowMs, unsaid])
  }
  assert.deepEqual(said, [
    [0, 0],
    [10_000, 399_999],
    [20_000, 399_999],
  ])
})

test('kinds do not hide each other', () => {
  const next = createFloodGate({ nowMs: () => 0, monotonicMs: () => 0 })
  assert.deepEqual([next('undecodable'), next('too-large'), next('undecodable')], [0, 0, undefined])
})

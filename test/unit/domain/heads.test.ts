import assert from 'node:assert/strict'
import { test } from 'node:test'
import { classOfLabel, isProbability, labelOfClass, outcomeOf } from '../../../src/domain/heads.js'

test('the label of a class tells the class, and whether it is asked for', () => {
  for (const isAsked of [true, false]) {
    for (const index of [0, 1, 63]) {
      const label = labelOfClass(index, isAsked)
      assert.equal(classOfLabel(label), index)
      assert.equal(outcomeOf('categorical', label), isAsked ? 1 : 0)
      assert.equal(label >= 0.5, isAsked)
    }
  }
  assert.ok(Number.isNaN(classOfLabel(Number.NaN)))
})

test('labels of other heads are compared as they are', () => {
  for (const head of ['binary', 'regression', 'ordinal', 'distribution', undefined])
    assert.equal(outcomeOf(head, -2.5), -2.5)
  assert.deepEqual(['binary', 'categorical', 'regression', 'top-n'].map(isProbability), [true, true, false, false])
})

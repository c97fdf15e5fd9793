import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import xxhash from 'xxhash-wasm'
import { Hasher } from '../../../src/std/hash.js'

const hexOf = (hasher: Hasher, text: string) => {
  hasher.text(text)
  return hasher.hi.toString(16).padStart(8, '0') + hasher.lo.toString(16).padStart(8, '0')
}

test('text is hashed by xxHash64 with seed 0', () => {
  const hasher = new Hasher()
  // Test vectors of the xxHash project.
  assert.equal(hexOf(hasher, ''), 'ef46db3751d8e999')
  assert.equal(hexOf(hasher, 'a'), 'd24ec4f1a98c6e5b')
  assert.equal(hexOf(hasher, 'abc'), '44bc2cf5ad770999')
})

test('texts of all lengths and alphabets are hashed as the reference does', async () => {
  const { h64ToString } = await xxhash()
  const hasher = new Hasher()
  const text = fc.oneof(
    fc.string({ maxLength: 200 }),
    fc.string({ unit: 'binary', maxLength: 100 }),
    fc.string({ minLength: 250, maxLength: 600 }),
  )
  fc.assert(
    fc.property(text, one => assert.equal(hexOf(hasher, one), h64ToString(one))),
    { numRuns: 2000 },
  )
})

test('what was asked before makes no difference', async () => {
  const words = fc.array(fc.constantFrom('', 'a', 'b', 'user-1', 'user-2', 'ü'.repeat(70)), { maxLength: 40 })
  const used = new Hasher()
  const answers = new Map<string, string>()
  fc.assert(
    fc.property(words, texts => {
      for (const text of texts) {
        const answer = hexOf(used, text)
        assert.equal(answer, answers.get(text) ?? answer)
        answers.set(text, answer)
        used.once(text)
        assert.equal(used.hi.toString(16).padStart(8, '0') + used.lo.toString(16).padStart(8, '0'), answer)
      }
    }),
  )
  assert.equal(new Set(answers.values()).size, answers.size)
})

test('mixing keeps order apart, never gives the empty key, and rarely collides', async () => {
  const hasher = new Hasher()
  const seen = new Set<string>()
  for (let a = 0; a < 300; a++) {
    for (let b = 0; b < 300; b++) {
      hasher.mix(a, 0, b, 1)
      assert.ok(hasher.lo !== 0 || hasher.hi !== 0)
      seen.add(`${hasher.lo}/${hasher.hi}`)
    }
  }
  assert.equal(seen.size, 90_000)
})

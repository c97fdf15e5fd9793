import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { KeyIndex } from '../../src/std/key-index.kernel.js'
import { Random } from '../../src/std/random.js'

// Few distinct keys with colliding homes, so that runs, wrap-around and backward shifts all occur.
const key = fc.record({ lo: fc.integer({ min: 0, max: 7 }).map(n => n * 1024), hi: fc.integer({ min: 1, max: 6 }) })
const command = fc.record({ kind: fc.constantFrom('insert', 'remove'), key })

test('a key index behaves like a map from keys to stable row numbers', () => {
  fc.assert(
    fc.property(fc.array(command, { maxLength: 400 }), commands => {
      const index = new KeyIndex(1)
      const model = new Map<string, number>()
      for (const { kind, key } of commands) {
        const name = `${key.lo}/${key.hi}`
        if (kind === 'insert') {
          const row = index.insert(key.lo, key.hi)
          assert.equal(index.inserted, !model.has(name))
          assert.equal(row, model.get(name) ?? row)
          model.set(name, row)
        } else {
          assert.equal(index.remove(key.lo, key.hi), model.get(name) ?? -1)
          model.delete(name)
        }
        assert.equal(index.size, model.size)
      }
      for (let lo = 0; lo <= 7; lo++) {
        for (let hi = 1; hi <= 6; hi++) assert.equal(index.find(lo * 1024, hi), model.get(`${lo * 1024}/${hi}`) ?? -1)
      }
      assert.equal(new Set(model.values()).size, model.size, 'no two keys share a row')
    }),
  )
})

test('a restored key index goes on exactly like the saved one', () => {
  fc.assert(
    fc.property(fc.array(command, { maxLength: 100 }), fc.array(command, { maxLength: 100 }), (before, after) => {
      const apply = (index: KeyIndex, commands: typeof before) =>
        commands.map(({ kind, key }) =>
          kind === 'insert' ? index.insert(key.lo, key.hi) : index.remove(key.lo, key.hi),
        )
      const first = new KeyIndex(1)
      apply(first, before)
      const { meta, arrays } = first.saveState()
      const second = new KeyIndex(1)
      const keys = new Uint32Array(meta.rows * 2)
      let at = 0
      for (const slab of arrays.keys) {
        keys.set(slab, at)
        at += slab.length
      }
      second.loadState(meta.rows, keys, arrays.free)
      assert.deepEqual(apply(second, after), apply(first, after))
      assert.deepEqual(second.saveState(), first.saveState())
    }),
  )
})

test('looking many keys up at once finds what looking each up finds', () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer({ min: 0, max: 600 }), (seed, size) => {
      const random = new Random(seed)
      const index = new KeyIndex(1, 3)
      const keys = Uint32Array.from({ length: 2000 }, () => random.integer(64))
      for (let at = 0; at < size; at++) index.insert(random.integer(64) + 1, random.integer(64))
      const rows = new Int32Array(1000)
      index.findAll(keys, 1000, rows)
      for (let at = 0; at < 1000; at++) assert.equal(rows[at], index.find(keys[at * 2]!, keys[at * 2 + 1]!))
    }),
    { numRuns: 30 },
  )
})

test('a key index grows past a slab and finds every key', () => {
  const index = new KeyIndex(1)
  for (let n = 1; n <= 70_000; n++) assert.equal(index.insert(n, (n ^ 0x5bd1e995) >>> 0), n - 1)
  for (let n = 1; n <= 70_000; n++) assert.equal(index.find(n, (n ^ 0x5bd1e995) >>> 0), n - 1)
})

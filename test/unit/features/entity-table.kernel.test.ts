import assert from 'node:assert/strict'
import test from 'node:test'
import { MillraceError } from '../../../src/domain/errors.js'
import { EntityTable } from '../../../src/features/entity-table.kernel.js'
import { reload } from '../../helpers/features.js'

function tableOf(maxRows: number) {
  const table = new EntityTable('user', maxRows)
  const [count, last] = [table.addNumber(0), table.addNumber(-1)]
  const firstWord = table.addWords(2)
  return { table, count, last, firstWord }
}

test('a new row holds what its cells are when empty, and cells keep what is written', () => {
  const { table, count, last, firstWord } = tableOf(100_000)
  for (let key = 1; key <= 3000; key++) {
    const row = table.insert(key, 0)
    assert.equal(table.numbers[row * table.numberWidth + count], 0)
    assert.equal(table.numbers[row * table.numberWidth + last], -1)
    table.numbers[row * table.numberWidth + count] = key
    table.words[row * table.wordWidth + firstWord + 1] = key
  }
  for (let key = 1; key <= 3000; key++) {
    const row = table.find(key, 0)
    assert.equal(table.numbers[row * table.numberWidth + count], key)
    assert.equal(table.words[row * table.wordWidth + firstWord + 1], key)
  }
  assert.equal(table.find(3001, 0), -1)
})

test('a full table evicts the row that was longest not used, and clears it for the new one', () => {
  const { table, count, firstWord } = tableOf(3)
  for (const key of [1, 2, 3]) {
    const row = table.insert(key, 0)
    table.numbers[row * table.numberWidth + count] = key
    table.words[row * table.wordWidth + firstWord] = key
  }
  table.find(1, 0)
  const row = table.insert(4, 0)
  assert.equal(table.numbers[row * table.numberWidth + count], 0)
  assert.equal(table.words[row * table.wordWidth + firstWord], 0)
  assert.deepEqual(
    [1, 2, 3, 4].map(key => table.find(key, 0) >= 0),
    [true, false, true, true],
  )
  assert.equal(table.size, 3)
  assert.equal(table.evicted, 1)
})

test('if every row was used, each is spared once and the first goes', () => {
  const { table } = tableOf(3)
  for (const key of [1, 2, 3]) table.insert(key, 0)
  for (const key of [1, 2, 3]) table.find(key, 0)
  table.insert(4, 0)
  assert.equal(table.find(1, 0), -1)
  table.insert(5, 0)
  assert.equal(table.find(2, 0), -1)
})

test('what comes once does not displace what keeps coming back', () => {
  const { table } = tableOf(16)
  for (let key = 1; key <= 8; key++) table.insert(key, 0)
  for (let once = 1000; once < 1200; once++) {
    for (let key = 1; key <= 8; key++) assert.ok(table.find(key, 0) >= 0)
    table.insert(once, 0)
  }
  assert.equal(table.size, 16)
})

test('a restored table evicts the same rows and saves the same bytes', () => {
  const { table } = tableOf(16)
  const step = (of: EntityTable, n: number) => of.insert(1 + ((n * 7919) % 40), n % 3)
  for (let n = 0; n < 100; n++) step(table, n)
  const restored = tableOf(16).table
  restored.loadState(reload(table.saveState()))
  assert.deepEqual(reload(restored.saveState()), reload(table.saveState()))
  for (let n = 100; n < 300; n++) assert.equal(step(restored, n), step(table, n))
  assert.deepEqual(reload(restored.saveState()), reload(table.saveState()))
})

test('a state with other cells is refused', () => {
  const { table } = tableOf(16)
  table.insert(1, 0)
  const other = new EntityTable('user', 16)
  assert.throws(
    () => other.loadState(reload(table.saveState())),
    (error: unknown) => error instanceof MillraceError && error.code === 'CHECKPOINT_INCOMPATIBLE',
  )
})

test('a row that is removed leaves nothing in what is saved, its place is taken first, and then a full table evicts again', () => {
  const { table, count, firstWord } = tableOf(3)
  for (const key of [1, 2, 3]) {
    const row = table.insert(key, 77)
    table.numbers[row * table.numberWidth + count] = 4321
    table.words[row * table.wordWidth + firstWord] = 1234
  }
  table.find(2, 77)
  assert.equal(table.remove(2, 77), 1)
  assert.equal(table.remove(2, 77), 0)
  const { arrays } = reload(table.saveState())
  assert.deepEqual([...(arrays.numbers as Float64Array)].filter(cell => cell === 4321).length, 2)
  assert.deepEqual([...(arrays.words as Uint32Array)].filter(cell => cell === 1234).length, 2)
  assert.equal(table.size, 2)
  table.insert(4, 77)
  assert.equal(table.evicted, 0)
  table.insert(5, 77)
  assert.equal(table.evicted, 1)
  assert.equal(table.size, 3)
})

test('rows of an owner are found among others, also when they were restored', () => {
  const create = () => new EntityTable('item+user', 100, true, true)
  let table = create()
  table.addNumber(0)
  for (let key = 1; key <= 40; key++) table.insert(key, 9, key % 4, 5)
  const { state } = table.publish('full')
  assert.equal((state.meta as { words: number }).words, 2, 'owners are not published')
  const copy = create()
  copy.addNumber(0)
  copy.loadState(reload(table.saveState()))
  table = copy
  assert.equal(table.removeOf(3, 5), 10)
  assert.equal(table.removeOf(3, 5), 0)
  assert.equal(table.removeOf(3, 6), 0)
  for (let key = 1; key <= 40; key++) assert.equal(table.find(key, 9) < 0, key % 4 === 3)
  assert.equal(table.publish('delta').removed, 10)
})

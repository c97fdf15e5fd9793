import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { packageRoot } from '../../../../src/std/package-root.js'
import { fixture, OPTIMIZER, stored } from './fixture.js'

const near = (actual: ArrayLike<number>, expected: number[], message?: string) => {
  assert.equal(actual.length, expected.length)
  expected.forEach((value, at) => {
    assert.ok(Math.abs((actual[at] ?? Number.NaN) - value) < 1e-6, `${message ?? ''} [${at}] ${actual[at]} != ${value}`)
  })
}

test('one step of row-wise Adagrad: decayed accumulator plus mean square, step by its root', () => {
  const { tables, learn, gather } = fixture({ slots: [{}] })
  const before = learn(tables, [[1]], { embedded: [3, -1] }).embedded
  const accumulator = 0.9 * 0.1 + (9 + 1) / 2
  const scale = 0.05 / Math.sqrt(accumulator)
  const after = gather(tables, [[1]], 'score').embedded
  near(after, [before[0]! - 3 * scale, before[1]! + scale])
  learn(tables, [[1]], { embedded: [1, 1] })
  const second = 0.05 / Math.sqrt(0.9 * accumulator + 1)
  near(gather(tables, [[1]], 'score').embedded, [after[0]! - second, after[1]! - second])
})

test('an id that occurs several times in a batch gets one step with the summed gradient', () => {
  const one = fixture({ slots: [{ bias: true, wide: true }] })
  const many = fixture({ slots: [{ bias: true, wide: true }] })
  one.learn(one.tables, [[1], [2]], { embedded: [6, 3, 1, 1], offset: [3, 1] })
  many.learn(many.tables, [[1], [2], [1], [1]], { embedded: [1, 1, 1, 1, 2, 2, 3, 0], offset: [1, 1, 1, 1] })
  assert.deepEqual(many.tables.saveState().arrays, one.tables.saveState().arrays)
})

test('slots that name the same table share rows and their gradients are summed before the step', () => {
  const shared = fixture({ slots: [{ table: 'item' }, { table: 'item' }] })
  const single = fixture({ slots: [{ table: 'item' }] })
  const { embedded } = shared.learn(shared.tables, [[5, 5]], { embedded: [1, 2, 3, 4] })
  assert.deepEqual(embedded.slice(0, 2), embedded.slice(2, 4))
  single.learn(single.tables, [[5]], { embedded: [4, 6] })
  assert.deepEqual(shared.tables.saveState().arrays, single.tables.saveState().arrays)
  assert.equal(shared.tables.stats().rows, 1)
})

test('a multi-valued slot is the mean of its present values, and so is its gradient', () => {
  const { tables, learn, gather } = fixture({ slots: [{ places: 4, table: 'item' }, { table: 'item' }] })
  const rows = [1, 2].map(value => Array.from(learn(tables, [[0, 0, 0, 0, value]]).embedded.slice(2)))
  const pooled = learn(tables, [[1, 0, 2, 0, 0]], { embedded: [2, 4, 0, 0] }).embedded
  near(pooled, [(rows[0]![0]! + rows[1]![0]!) / 2, (rows[0]![1]! + rows[1]![1]!) / 2, 0, 0])
  // Each value gets half of (2, 4); the accumulator has been touched once before.
  const scale = 0.05 / Math.sqrt(0.9 * 0.9 * 0.1 + (1 + 4) / 2)
  const after = gather(tables, [[0, 0, 0, 0, 1]], 'score').embedded
  near(after, [0, 0, rows[0]![0]! - scale, rows[0]![1]! - 2 * scale])
})

test('an empty multi-valued slot reads as zero and takes no gradient', () => {
  const { tables, learn } = fixture({ slots: [{ places: 2 }] })
  near(learn(tables, [[0, 0]], { embedded: [1, 1] }).embedded, [0, 0])
  assert.equal(tables.stats().rows, 0)
})

test('a bias steps by Adagrad per task, and a task without a gradient does not move', () => {
  const { tables, learn, gather } = fixture({ slots: [{ bias: true, embedIndex: -1 }], tasks: 2 })
  near(learn(tables, [[1]], { offset: [2, 0] }).offset, [0, 0])
  near(gather(tables, [[1]], 'score').offset, [(-0.1 * 2) / Math.sqrt(1 + 4), 0])
  learn(tables, [[1]], { offset: [1, 0] })
  near(gather(tables, [[1]], 'score').offset, [-0.2 / Math.sqrt(5) - 0.1 / Math.sqrt(6), 0])
})

test('a wide weight follows FTRL-proximal: zero until the evidence exceeds l1', () => {
  const { tables, learn, gather } = fixture({ slots: [{ wide: true, embedIndex: -1 }] })
  const { alpha, beta, l1, l2 } = OPTIMIZER.wide
  learn(tables, [[1]], { offset: [0.4] })
  near(gather(tables, [[1]], 'score').offset, [0])
  learn(tables, [[1]], { offset: [0.4] })
  // w was 0, so z is the plain sum of gradients.
  const weight = -(0.8 - l1) / ((beta + Math.sqrt(0.32)) / alpha + l2)
  near(gather(tables, [[1]], 'score').offset, [weight])
})

test('wide weights follow the algorithm in float64 over a long run that changes sign', () => {
  const golden: { gradients: number[]; weights: number[] } = JSON.parse(
    readFileSync(join(packageRoot(), 'test/golden/table/ftrl.json'), 'utf8'),
  )
  const { tables, learn, gather } = fixture({ slots: [{ wide: true, embedIndex: -1 }] })
  golden.gradients.forEach((gradient, step) => {
    learn(tables, [[1]], { offset: [gradient] })
    near(gather(tables, [[1]], 'score').offset, [golden.weights[step]!], `step ${step}`)
  })
})

test('the offset is the sum over slots and values of biases and wide weights', () => {
  const { tables, learn, gather } = fixture({
    slots: [
      { bias: true, embedIndex: -1 },
      { wide: true, embedIndex: -1, places: 2 },
    ],
  })
  learn(tables, [[1, 2, 3]], { offset: [2] })
  const bias = -0.2 / Math.sqrt(5)
  const wide = -(2 - 0.5) / ((1 + 2) / 0.05 + 1)
  near(
    gather(
      tables,
      [
        [1, 2, 3],
        [1, 0, 3],
        [0, 2, 2],
      ],
      'score',
    ).offset,
    [bias + 2 * wide, bias + wide, 2 * wide],
  )
})

test('scoring creates nothing, and unknown values read as zero but count in the mean', () => {
  const { tables, gather, learn } = fixture({ slots: [{ places: 2, bias: true }] })
  learn(tables, [[1, 0]])
  const alone = gather(tables, [[1, 0]], 'score').embedded
  near(gather(tables, [[1, 9]], 'score').embedded, [alone[0]! / 2, alone[1]! / 2])
  near(gather(tables, [[8, 9]], 'score').embedded, [0, 0])
  assert.equal(tables.stats().rows, 1)
})

test('a new row starts from its key alone, whatever came before', () => {
  const first = fixture({ slots: [{}], dim: 5 })
  const second = fixture({ slots: [{}], dim: 5 })
  second.learn(second.tables, [[3], [4]])
  assert.deepEqual(first.learn(first.tables, [[1]]).embedded, second.learn(second.tables, [[1]]).embedded)
})

test('new rows are normal with the configured deviation', () => {
  const { tables, gather } = fixture({ slots: [{}], dim: 16, rowStart: 0.5 })
  const { embedded } = gather(
    tables,
    Array.from({ length: 2000 }, (_, at) => [at + 1]),
    'learn',
  )
  const moment = (power: number) => embedded.reduce((sum, x) => sum + (x / 0.5) ** power, 0) / embedded.length
  for (const [power, expected, tolerance] of [
    [1, 0, 0.03],
    [2, 1, 0.03],
    [3, 0, 0.08],
    [4, 3, 0.2],
  ] as const) {
    assert.ok(Math.abs(moment(power) - expected) < tolerance, `moment ${power}: ${moment(power)}`)
  }
})

test('a value is admitted at its nth occurrence; before that it trains the shared row of its slot', () => {
  const { tables, learn, gather } = fixture({ slots: [{ bias: true }], admitAfter: 3 })
  const unknown = gather(tables, [[9]], 'score')
  assert.deepEqual(
    learn(tables, [[1], [1]], { embedded: [1, 1, 1, 1], offset: [1, 1] }).embedded.slice(0, 2),
    unknown.embedded,
  )
  assert.equal(tables.stats().rows, 0)
  const trained = gather(tables, [[1], [9]], 'score')
  assert.notDeepEqual(trained.embedded.slice(0, 2), unknown.embedded)
  assert.deepEqual(trained.embedded.slice(0, 2), trained.embedded.slice(2, 4))
  near(trained.offset, [-0.2 / Math.sqrt(5), -0.2 / Math.sqrt(5)])
  const own = learn(tables, [[1]])
  assert.notDeepEqual(own.embedded, trained.embedded.slice(0, 2))
  near(own.offset, [0])
  assert.equal(tables.stats().rows, 1)
})

test('an evicted value has to be seen n times again', () => {
  const { tables, learn } = fixture({ slots: [{}], admitAfter: 2, expireAfter: 10_000 })
  learn(tables, [[1], [1]])
  assert.equal(tables.stats().rows, 1)
  assert.equal(tables.maintain(60_000), 1)
  learn(tables, [[1]], {}, 60_000)
  assert.equal(tables.stats().rows, 0)
  learn(tables, [[1]], {}, 60_000)
  assert.equal(tables.stats().rows, 1)
})

test('values seen once do not fill the checkpoint', () => {
  const { tables, learn } = fixture({ slots: [{}], admitAfter: 2, maxRows: 1000 })
  const size = () => Object.values(stored(tables.saveState()).arrays).reduce((sum, array) => sum + array.byteLength, 0)
  const before = size()
  for (let at = 0; at < 20_000; at += 100)
    learn(
      tables,
      Array.from({ length: 100 }, (_, n) => [at + n + 1]),
    )
  assert.equal(size(), before)
})

test('rows expire after their time without a touch, touched ones stay', () => {
  const { tables, learn } = fixture({ slots: [{ table: 'item' }], expireAfter: 10_000 })
  learn(tables, [[1], [2]], {}, 1_000)
  learn(tables, [[2]], {}, 8_000)
  assert.equal(tables.maintain(11_000), 0)
  assert.equal(tables.maintain(12_000), 1)
  const { rows, expired, evicted, admitted } = tables.stats()
  assert.deepEqual({ rows, expired, evicted, admitted }, { rows: 1, expired: 1, evicted: 0, admitted: 2 })
})

test('expiry sweeps a large table in parts, and goes on where it was when restored', () => {
  const { tables, create, learn, gather } = fixture({ slots: [{}], expireAfter: 10_000 })
  gather(
    tables,
    Array.from({ length: 3000 }, (_, at) => [at + 1]),
    'learn',
    0,
  )
  learn(tables, [[1]], {}, 60_000)
  const first = tables.maintain(60_000)
  assert.ok(first > 0 && first < 2999)
  const restored = create()
  restored.loadState(stored(tables.saveState()))
  for (let call = 0; call < 3; call++) assert.equal(restored.maintain(60_000), tables.maintain(60_000))
  assert.deepEqual(stored(restored.saveState()), stored(tables.saveState()))
  assert.equal(tables.stats().rows, 1)
})

test('a freed row that is used again carries nothing over', () => {
  const { tables, learn, create } = fixture({ slots: [{ bias: true, wide: true }], expireAfter: 1_000 })
  learn(tables, [[1]], { embedded: [5, 5], offset: [5] })
  assert.equal(tables.maintain(10_000), 1)
  learn(tables, [[2]], {}, 10_000)
  const fresh = create()
  learn(fresh, [[2]], {}, 10_000)
  assert.deepEqual(tables.saveState().arrays, fresh.saveState().arrays)
})

test('the row limit holds after every barrier and long unused rows go first', () => {
  const { tables, learn, gather } = fixture({ slots: [{}], maxRows: 500 })
  const often = Array.from({ length: 50 }, (_, n) => [n + 1])
  for (let batch = 0; batch < 100; batch++) {
    const news = Array.from({ length: 40 }, (_, n) => [1000 + batch * 40 + n])
    learn(tables, [...often, ...news], {}, batch * 1_000)
    tables.maintain(batch * 1_000)
    assert.ok(tables.stats().rows <= 500)
  }
  const known = (values: number[][]) => {
    const { embedded } = gather(tables, values, 'score')
    return values.filter((_, at) => embedded[at * 2] !== 0).length
  }
  assert.equal(known(often), 50)
  const recent = known(Array.from({ length: 200 }, (_, n) => [1000 + 95 * 40 + n]))
  assert.ok(recent >= 180, `${recent} of the last 200`)
  assert.equal(tables.stats().evicted, 50 + 4000 - 500)
})

test('rows of a batch whose gradient has not come yet are never evicted', () => {
  const { tables, gather } = fixture({ slots: [{}], maxRows: 16, expireAfter: 1_000 })
  gather(
    tables,
    Array.from({ length: 40 }, (_, n) => [n + 1]),
    'learn',
    0,
  )
  assert.equal(tables.maintain(1_000_000), 0)
  assert.equal(tables.stats().rows, 40)
})

test('a late record does not make rows look old', () => {
  const { tables, learn } = fixture({ slots: [{}], expireAfter: 10_000 })
  learn(tables, [[1]], {}, 100_000)
  learn(tables, [[1]], {}, 5_000)
  assert.equal(tables.maintain(105_000), 0)
})

test('dense inputs are copied from the rows named, across slabs', () => {
  const { tables, columns, columnLayout } = fixture({ slots: [{}], dense: 2 })
  const rows = Array.from({ length: 5000 }, () => columns.allocate())
  const named = Int32Array.from([rows[4999]!, rows[0]!])
  for (const row of named) columns.slab(row).dense.set([row + 1, -row - 1], (row % 4096) * 2)
  const out = { embedded: new Float32Array(4), dense: new Float32Array(4), offset: new Float32Array(2) }
  tables.gather(columns.slabs, columnLayout, named, 'score', 0, out)
  assert.deepEqual(Array.from(out.dense), [5000, -5000, 1, -1])
})

test('tables past a slab of rows keep every row', () => {
  const { tables, gather } = fixture({ slots: [{ bias: true }] })
  for (let at = 0; at < 70_000; at += 10_000) {
    gather(
      tables,
      Array.from({ length: 10_000 }, (_, n) => [at + n + 1]),
      'learn',
    )
  }
  assert.equal(tables.stats().rows, 70_000)
  const values = [[1], [65_536], [65_537], [70_000]]
  const expected = fixture({ slots: [{ bias: true }] })
  assert.deepEqual(gather(tables, values, 'score').embedded, expected.learn(expected.tables, values).embedded)
  const loaded = expected.create()
  loaded.loadState(stored(tables.saveState()))
  assert.deepEqual(gather(loaded, values, 'score').embedded, gather(tables, values, 'score').embedded)
})

/** After an alarm: of which records the fast part forgets, for which tasks, and when. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SLAB_ROWS } from '../../../../src/features/columns.js'
import { FastRows } from '../../../../src/features/table/fast-rows.kernel.js'
import { fixture, stored } from './fixture.js'

const ID = 1
const SIDE = 2

function recordsOf() {
  const { layout, columnLayout, columns, example } = fixture({ slots: [{ name: 'user' }, { name: 'age' }] })
  for (const slot of layout.slots) Object.assign(slot, { side: 'asking', isId: slot.name === 'user' })
  const forgotten: number[] = []
  const create = () =>
    new FastRows(
      layout,
      columnLayout,
      2,
      {
        start: (record, at) => record.fill(8, at + 3, at + 5),
        forget: (record, at, task) => {
          record[at + 3 + task]! /= 2
          forgotten.push(task)
        },
        tasks: 2,
      },
      { dim: 1, scale: 0, seed: 1 },
      { maxRows: 1000 },
      { numbers: [{ place: 3, what: 'bias' }], encoding: 'float32', tracksChanges: true },
    )
  let records = create()
  const use = (second: number) => {
    const row = example([ID, SIDE])
    records.advance(second * 1000)
    records.use(columns.slab(row), row % SLAB_ROWS, false)
    columns.free(row)
    return Array.from({ length: 2 }, (_, n) => records.slabs[n]!.slice(records.at[n]! + 3, records.at[n]! + 5))
  }
  return {
    use,
    forgotten,
    alarm: (task: number, second: number) => {
      records.advance(second * 1000)
      records.forget(task)
    },
    changed: () => records.publish('delta').changed,
    resume() {
      const next = create()
      next.loadState(stored(records.saveState()))
      records = next
    },
  }
}

test('an id is forgotten once, for the task of the alarm, when it is learned again; what describes it is not', () => {
  const { use, alarm, forgotten, changed } = recordsOf()
  use(1)
  alarm(0, 1)
  use(1)
  use(2)
  assert.deepEqual(forgotten, [], 'what came in the second of the alarm is not meant')
  alarm(1, 5)
  changed()
  const [id, side] = use(6)
  assert.deepEqual([...id!], [8, 4])
  assert.deepEqual([...side!], [8, 8])
  assert.equal(changed(), 2)
  use(6)
  use(7)
  assert.deepEqual(forgotten, [1])
})

test('an alarm before a checkpoint counts behind it', () => {
  const { use, alarm, forgotten, resume } = recordsOf()
  use(1)
  alarm(1, 9)
  resume()
  use(10)
  assert.deepEqual(forgotten, [1])
})

import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import type { SlotTables } from '../../src/features/table/slot-tables.js'
import { fixture, stored } from '../unit/features/table/fixture.js'

const SLOTS = [{ table: 'item', bias: true }, { table: 'item', places: 2 }, { wide: true }]
const PLACES = 4

// Few values, short lives and a low limit: admissions, evictions, expiry and reuse of rows all occur.
const examples = fc.array(fc.array(fc.nat(60), { minLength: PLACES, maxLength: PLACES }), { maxLength: 8 })
const command = fc.record({
  kind: fc.constantFrom('learn', 'learn', 'score', 'maintain'),
  examples,
  gradient: fc.integer({ min: -8, max: 8 }),
  passed: fc.nat(4_000),
})
type Command = { kind: string; examples: number[][]; gradient: number; passed: number }
const history = fc.array(command, { maxLength: 40 })

function world(admitAfter: number) {
  const limits = { admitAfter, expireAfter: 15_000, maxRows: 24 }
  const made = fixture({ slots: SLOTS, tasks: 2, ...limits })
  let now = 0
  const run = (tables: SlotTables, commands: Command[]) => {
    const seen: unknown[] = []
    for (const { kind, examples, gradient, passed } of commands) {
      now += passed
      if (kind === 'maintain') seen.push(tables.maintain(now))
      else if (kind === 'score') seen.push(made.gather(tables, examples, 'score', now))
      else {
        const embedded = Array.from({ length: examples.length * 6 }, (_, at) => (gradient + (at % 3)) / 4)
        const offset = Array.from({ length: examples.length * 2 }, (_, at) => (gradient - (at % 5)) / 4)
        seen.push(made.learn(tables, examples, { embedded, offset }, now))
      }
    }
    return seen
  }
  const setClock = (time: number) => {
    now = time
  }
  return { ...made, run, setClock, clock: () => now }
}

test('tables that were saved and restored in the middle go on exactly like tables that were not', () => {
  fc.assert(
    fc.property(fc.constantFrom(1, 3), history, history, (admitAfter, before, after) => {
      const { tables, create, run, clock, setClock } = world(admitAfter)
      run(tables, before)
      const restored = create()
      restored.loadState(stored(tables.saveState()))
      assert.deepEqual(stored(restored.saveState()), stored(tables.saveState()))
      const time = clock()
      const expected = run(tables, after)
      setClock(time)
      assert.deepEqual(run(restored, after), expected)
      assert.deepEqual(stored(restored.saveState()), stored(tables.saveState()))
      const { bytes: _, ...stats } = tables.stats()
      const { bytes: __, ...again } = restored.stats()
      assert.deepEqual(again, stats)
    }),
  )
})

test('rows, admissions and removals always balance', () => {
  fc.assert(
    fc.property(fc.constantFrom(1, 2), history, (admitAfter, commands) => {
      const { tables, run } = world(admitAfter)
      for (const command of commands) {
        run(tables, [command])
        const { rows, admitted, evicted, expired } = tables.stats()
        assert.equal(rows, admitted - evicted - expired)
        if (command.kind === 'maintain') assert.ok(rows <= 24)
      }
    }),
  )
})

test('scoring changes nothing that is saved', () => {
  fc.assert(
    fc.property(fc.constantFrom(1, 2), history, examples, (admitAfter, commands, scored) => {
      const { tables, run, gather } = world(admitAfter)
      run(tables, commands)
      const before = stored(tables.saveState())
      gather(tables, scored, 'score', 1e9)
      assert.deepEqual(stored(tables.saveState()), before)
    }),
  )
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withClosers } from '../../../src/app/closers.js'

/** Opens three things, of which `failing` can not be closed; what was closed, in order. */
async function run(failing: string[], work: () => string): Promise<{ closed: string[]; outcome: unknown }> {
  const closed: string[] = []
  const outcome = await withClosers(async closers => {
    for (const name of ['first', 'second', 'third']) {
      closers.push(async () => {
        closed.push(name)
        if (failing.includes(name)) throw new Error(`${name} can not be closed`)
      })
    }
    return work()
  }).catch(error => error)
  return { closed, outcome }
}

const all = ['third', 'second', 'first']

test('what was opened last is closed first, and the work has its value', async () => {
  assert.deepEqual(await run([], () => 'done'), { closed: all, outcome: 'done' })
})

test('all is closed when the work fails, and its failure is what is heard', async () => {
  const broken = new Error('broken')
  const fails = () => {
    throw broken
  }
  assert.deepEqual(await run(['third'], fails), { closed: all, outcome: broken })
})

test('what can not be closed fails work that had succeeded, and the rest is closed all the same', async () => {
  const { closed, outcome } = await run(['second', 'first'], () => 'done')
  assert.deepEqual(closed, all)
  assert.deepEqual(outcome, new Error('second can not be closed'))
})

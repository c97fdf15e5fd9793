import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MillraceError } from '../../../src/domain/errors.js'
import { Promotions } from '../../../src/pipeline/promotions.js'

const isOver = (error: unknown) => error instanceof MillraceError && error.message.includes('learning has ended')

test('promotions are taken in the order in which they were asked for, and each asker hears of its own', async () => {
  const promotions = new Promotions()
  const [first, second] = [promotions.ask('a'), promotions.ask('b')]
  const [a, b] = [promotions.next(), promotions.next()]
  assert.deepEqual([a?.hash, b?.hash, promotions.next()], ['a', 'b', undefined])
  b?.reject(new RangeError('no'))
  a?.resolve()
  await first
  await assert.rejects(second, RangeError)
})

test('who still waits when a run ends hears so, and who comes later too', async () => {
  const promotions = new Promotions()
  const waiting = promotions.ask('a')
  promotions.close()
  await assert.rejects(waiting, isOver)
  await assert.rejects(promotions.ask('b'), isOver)
})

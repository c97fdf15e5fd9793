import assert from 'node:assert/strict'
import { test } from 'node:test'
import kafkajs from 'kafkajs'
import { chooseMember } from '../../../src/source/kafka-assigner.js'

const { AssignerProtocol } = kafkajs
const member = (memberId: string, role: unknown) => ({
  memberId,
  memberMetadata: AssignerProtocol.MemberMetadata.encode({
    version: 0,
    topics: ['t'],
    userData: Buffer.from(typeof role === 'string' ? role : JSON.stringify(role)),
  }),
})

test('the active member keeps everything, however long others have been there', () => {
  assert.equal(
    chooseMember([member('a', { active: false, sinceMs: 1 }), member('b', { active: true, sinceMs: 5 })]),
    'b',
  )
})

test('of two that think they are active, the one that became so last is', () => {
  assert.equal(
    chooseMember([member('a', { active: true, sinceMs: 1 }), member('b', { active: true, sinceMs: 5 })]),
    'b',
  )
})

test('without an active one the oldest takes over, ties by id', () => {
  const members = [
    member('c', { active: false, sinceMs: 3 }),
    member('b', { active: false, sinceMs: 2 }),
    member('a', { active: false, sinceMs: 2 }),
  ]
  assert.equal(chooseMember(members), 'a')
})

test('a member that says nothing about itself comes last', () => {
  assert.equal(chooseMember([member('a', 'not json'), member('b', { active: false, sinceMs: 9 })]), 'b')
  assert.equal(chooseMember([member('a', '')]), 'a')
  assert.equal(chooseMember([]), undefined)
})

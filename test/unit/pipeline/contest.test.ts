/** Answers of several learners become one, in the order of the commands; a challenger that fails does not. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { configSchema } from '../../../src/config/schema.js'
import { MillraceError } from '../../../src/domain/errors.js'
import { MASK_JUDGED } from '../../../src/domain/example.js'
import { Contest } from '../../../src/pipeline/contest.js'
import type { LanePort, LearnCommand } from '../../../src/pipeline/learner.js'
import { smallConfig } from '../../helpers/small-config.js'

const config = configSchema.parse({ ...smallConfig, promotion: { rule: 'better', minLabels: 0 } })
const WIDTH = config.tasks.length

/** A learner that always says the same, when the test lets it. */
function createLane(says: number) {
  const due: (() => void)[] = []
  let step = 0
  const later = <T>(value: () => T): Promise<T> =>
    new Promise((resolve, reject) =>
      due.push(() => {
        try {
          resolve(value())
        } catch (error) {
          reject(error)
        }
      }),
    )
  const lane = {
    fails: undefined as Error | undefined,
    due,
    /** Answers so many commands, all that wait by default. */
    answer: (count = due.length) => {
      for (const settle of due.splice(0, count)) settle()
    },
    port: {
      backend: 'none',
      addSlab() {},
      score: ({ rows }: { rows: Int32Array }) =>
        later(() => ({ values: new Float32Array(rows.length * WIDTH).fill(says), modelVersion: step })),
      learn: ({ rows }: LearnCommand) =>
        later(() => {
          if (lane.fails !== undefined) throw lane.fails
          step++
          return { step, values: new Float32Array(rows.length * WIDTH).fill(says), alarms: [] }
        }),
      snapshot: () => later(() => ({ parts: [], metrics: { says } })),
    } as unknown as LanePort,
  }
  return lane
}

function createContest() {
  const failures: string[] = []
  const lanes = [createLane(0.5), createLane(0.9), createLane(0.1)]
  const contestants = lanes.map(({ port }, index) => ({ name: `lane${index}`, hash: `0${index}`, learner: port }))
  const contest = new Contest(config, contestants, (name, reason) => failures.push(`${name}: ${reason}`))
  return { contest, lanes, failures }
}

const command = (n = 1): LearnCommand => ({
  rows: new Int32Array(n),
  labels: new Float32Array(n * WIDTH).fill(1),
  mask: new Uint8Array(n * WIDTH).fill(MASK_JUDGED),
  fresh: new Uint8Array(n),
  eventTimeMs: 0,
  impressionTimesMs: new Float64Array(n),
  countFromMs: 0,
})
const turn = () => new Promise(resolve => setImmediate(resolve))

test('answers come in the order of the commands, each when all have answered, with what the first says', async () => {
  const { contest, lanes } = createContest()
  const [first, second, third] = lanes
  const order: string[] = []
  const note = (name: string) => (answer: { values?: Float32Array }) =>
    order.push(`${name} ${answer.values?.[0] ?? ''}`)
  void contest.score({ rows: new Int32Array(1), eventTimeMs: 0 }).then(note('score'))
  void contest.learn(command()).then(note('learn'))
  // Only the first is asked, and it is done before the others are with what came before.
  void contest.snapshot('full', []).then(() => order.push('snapshot'))
  first?.answer()
  third?.answer()
  await turn()
  assert.deepEqual(order, [])
  second?.answer(1)
  await turn()
  assert.deepEqual(order, ['score 0.5'])
  second?.answer()
  await turn()
  assert.deepEqual(order, ['score 0.5', 'learn 0.5', 'snapshot'])
})

test('a challenger that fails is left out and told of; if what answers fails, everything does', async () => {
  const { contest, lanes, failures } = createContest()
  const [first, second] = lanes
  if (first === undefined || second === undefined) return
  second.fails = new MillraceError('LOSS_NOT_FINITE', 'no number')
  const learned = contest.learn(command())
  for (const lane of lanes) lane.answer()
  assert.equal((await learned).step, 1)
  assert.deepEqual(failures, ['lane1: no number'])
  assert.deepEqual(
    contest.challengers.map(({ name }) => name),
    ['lane2'],
  )
  const again = contest.learn(command())
  assert.equal(second.due.length, 0, 'it is asked no more')
  first.fails = new MillraceError('LOSS_NOT_FINITE', 'no number either')
  for (const lane of lanes) lane.answer()
  await assert.rejects(again, /no number either/)
})

test('the better one is found between steps, and after its promotion all are compared anew', async () => {
  const { contest, lanes } = createContest()
  for (let step = 1; step <= 64; step++) {
    const learned = contest.learn(command(256))
    for (const lane of lanes) lane.answer()
    await learned
    contest.afterStep(step)
    assert.equal(contest.isWaiting, step % 32 === 0)
    if (step === 32) assert.equal(contest.decide(), 1)
  }
  assert.deepEqual(
    contest.standings().map(({ standing }) => standing.verdict),
    ['better', 'worse'],
  )
  contest.promote(1)
  assert.deepEqual(contest.answering, { lane: 1, name: 'lane1', hash: '01' })
  assert.ok(contest.standings().every(({ standing }) => standing.labels === 0 && standing.verdict === 'open'))
  assert.throws(() => contest.ask('01'), { code: 'REQUEST_INVALID' })
  contest.ask('00')
  assert.equal(contest.takeAsked(), 0)
})

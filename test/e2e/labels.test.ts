/** The tasks of docs/labels.md, from an event log to figures: labels that users define. */
import assert from 'node:assert/strict'
import { cpSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'
import { createLogWriter } from '../../src/sink/log-writer.js'
import { packageRoot } from '../../src/std/package-root.js'
import { millrace } from '../helpers/process.js'
import { START_MS, Workspace } from '../helpers/workspace.js'

const [, block = ''] = /```yaml\n([\s\S]*?)```/.exec(readFileSync(join(packageRoot(), 'docs/labels.md'), 'utf8')) ?? []
const { tasks } = parse(block)
const MINUTE = 60_000
const BRANDS = ['acme', 'bolt', 'core']
const ACTIONS = ['view', 'share', undefined, 'save', 'view']
const MOODS = ['negative', 'neutral', 'positive']
const SENTIMENTS = ['positive', 'negative', 'neutral', undefined]

const config = {
  source: { log: 'log' },
  tasks,
  features: {
    slots: [
      { name: 'user', from: 'user', bias: true },
      { name: 'item', from: 'item', bias: true },
      { name: 'pair', cross: ['user', 'item'], embed: false },
    ],
  },
  model: { hidden: [8], dim: 4, tower: 4 },
  batch: { maxExamples: 64, tick: '1h' },
  checkpoint: { path: 'checkpoints', everyEvents: 1000, keep: 100 },
  outputs: { path: 'out', snapshotEverySteps: 20, deltaEvery: '6h' },
}

interface Prediction {
  eventId: string
  values: Record<string, number>
  classes: Record<string, Record<string, number>>
}

/** What anybody can count of the log. */
interface Told {
  buys: number
  priced: number
  branded: number
  favourites: number
  shown: number
  shared: number
  unknown: number
  positives: number
  sentiments: number
}

/** One page a minute of one item; of ten items one has no price, one a wild one; a third of the users has no favourite. */
function write(workspace: Workspace, pages: number): Told {
  const log = createLogWriter({ path: workspace.path('log'), partitions: 1 })
  const told = {
    buys: 0,
    priced: 0,
    branded: 0,
    favourites: 0,
    shown: 0,
    shared: 0,
    unknown: 0,
    positives: 0,
    sentiments: 0,
  }
  for (let item = 0; item < 10; item++) {
    const stamp = { eventId: `item${item}`, eventTime: START_MS }
    const price = item === 8 ? null : item === 9 ? 50_000 : 10 * 2 ** item
    log.write(0, 'item', { ...stamp, id: `i${item}`, brand: BRANDS[item % 3]!, price })
  }
  for (let user = 0; user < 9; user++) {
    const favourite_brand = user % 3 === 2 ? [] : [BRANDS[user % 3]!]
    log.write(0, 'user', {
      eventId: `user${user}`,
      eventTime: START_MS,
      id: `u${user}`,
      attributes: { favourite_brand },
    })
  }
  for (let page = 0; page < pages; page++) {
    const [user, item] = [(page * 7) % 9, (page * 3) % 10]
    const atMs = START_MS + page * MINUTE
    const pair = { user: `u${user}`, item: `i${item}`, requestId: `r${page}` }
    log.write(0, 'impression', { ...pair, eventId: `p${page}`, eventTime: atMs })
    const clicks = page % 4 === 3 ? [] : [ACTIONS[page % 5], ...(page % 8 === 0 ? ['share'] : [])]
    for (const [index, action] of clicks.entries()) {
      const context = action === undefined ? null : { action }
      log.write(0, 'click', { ...pair, eventId: `c${page}-${index}`, eventTime: atMs + 1000 * (index + 1), context })
    }
    told.shown++
    if (clicks.some(action => action === 'share' || action === 'save')) told.shared++
    else if (clicks.includes(undefined)) told.unknown++
    if (page % 2 === 0) {
      log.write(0, 'buy', { ...pair, eventId: `b${page}`, eventTime: atMs + 10_000 })
      told.buys++
      if (item < 8) told.priced++
      if (user % 3 !== 2) told.branded++
      if (user % 3 !== 2 && user % 3 === item % 3) told.favourites++
    }
    const sentiment = SENTIMENTS[page % 4]
    const context = sentiment === undefined ? null : { sentiment }
    log.write(0, 'rating', { ...pair, eventId: `g${page}`, eventTime: atMs + 20_000, value: 3, context })
    if (sentiment !== undefined) told.sentiments++
    if (sentiment === 'positive') told.positives++
  }
  log.close()
  return told
}

async function replay(workspace: Workspace, ...flags: string[]) {
  const { code, stdout, stderr } = await millrace(['replay', workspace.path('millrace.yaml'), '--json', ...flags])
  assert.equal(code, 0, stderr)
  return JSON.parse(stdout)
}

/** From its oldest checkpoint, in the middle of the log, a run goes on to the same bytes. */
async function assertResumes(whole: Workspace, own: ConstructorParameters<typeof Workspace>[0]): Promise<void> {
  const [checkpoint = ''] = whole.checkpoints()
  assert.ok(whole.checkpoints().length > 1)
  const again = new Workspace(own)
  for (const part of ['log', 'out', join('checkpoints', checkpoint)])
    cpSync(whole.path(part), again.path(part), { recursive: true })
  await replay(again, '--resume')
  assert.deepEqual(again.final(), whole.final())
}

test('price, attribute match, social and sentiment are learned from a log, and what is missing is masked and counted', async () => {
  const workspace = new Workspace(config)
  const told = write(workspace, 2000)
  const { tasks, counts } = await replay(workspace)
  assert.deepEqual(counts.rejects, {})
  const { price, favourite, social, sentiment, mood } = tasks
  assert.deepEqual([price.count, price.missingLabels], [told.priced, told.buys - told.priced])
  assert.deepEqual([favourite.count, favourite.positives], [told.branded, told.favourites])
  assert.equal(favourite.missingLabels, told.buys - told.branded)
  assert.deepEqual([social.count, social.positives], [told.shown - told.unknown, told.shared])
  assert.ok(told.unknown > 100 && social.missingLabels > told.unknown)
  assert.deepEqual([sentiment.count, sentiment.positives], [told.sentiments, told.positives])
  assert.deepEqual([mood.count, mood.positives], [told.sentiments, told.positives])
  assert.equal(mood.missingLabels, sentiment.missingLabels)
  // A page's item says its sentiment as often as not: the two heads are asked the same.
  assert.ok(
    Math.abs(mood.meanPrediction - mood.meanLabel) < 0.05 && Number.isFinite(mood.logLoss),
    JSON.stringify(mood),
  )
  // A price follows from its item, a match from user and item.
  assert.ok(price.mae < 50, `${price.mae}`)
  assert.ok(Math.abs(price.meanPrediction / price.meanLabel - 1) < 0.1, JSON.stringify(price))
  assert.ok(favourite.auc > 0.9, `${favourite.auc}`)
  for (const { values } of await workspace.records<{ values: Record<string, number> }>('predictions'))
    for (const value of Object.values(values)) assert.ok(Number.isFinite(value))
})

/** Of the examples that are judged, whose event ids begin so: what anybody can count of what was published of them. */
function countClasses(predictions: readonly Prediction[], prefix: string) {
  for (const { values, classes } of predictions) {
    const said = { ...classes.mood }
    assert.deepEqual(Object.keys(said), MOODS)
    assert.ok(Math.abs(MOODS.reduce((sum, text) => sum + said[text]!, 0) - 1) < 1e-6, JSON.stringify(said))
    assert.equal(said.positive, values.mood)
    assert.deepEqual(Object.keys(classes), ['mood'])
  }
  const before = new Map(MOODS.map(text => [text, 1]))
  const confusion = MOODS.map(() => MOODS.map(() => 0))
  const sums = { crossEntropy: 0, majorityCrossEntropy: 0, classAccuracy: 0, majorityAccuracy: 0 }
  let labels = 0
  for (const { eventId, classes } of predictions) {
    const came = eventId.startsWith(prefix) ? SENTIMENTS[Number(eventId.slice(1)) % 4] : undefined
    if (came === undefined) continue
    const said = { ...classes.mood }
    const highest = (of: (text: string) => number) => MOODS.reduce((best, text) => (of(text) > of(best) ? text : best))
    const guess = highest(text => said[text]!)
    sums.crossEntropy -= Math.log(said[came]!)
    sums.majorityCrossEntropy -= Math.log(before.get(came)! / (labels + MOODS.length))
    if (guess === came) sums.classAccuracy++
    if (highest(text => before.get(text)!) === came) sums.majorityAccuracy++
    confusion[MOODS.indexOf(came)]![MOODS.indexOf(guess)]!++
    before.set(came, before.get(came)! + 1)
    labels++
  }
  return { labels, confusion, sums: Object.entries(sums) }
}

const mood = tasks.find(({ name }: { name: string }) => name === 'mood')
const CLASSES_OF = {
  ratings: { changes: {}, prefix: 'g' },
  'ratings, by the network alone': { changes: { fast: { enabled: false } }, prefix: 'g' },
  'impressions that wait for their rating, beside a calibrated task': {
    changes: {
      tasks: [
        { name: 'click', calibration: 'platt', label: { event: 'click', window: '1h' } },
        { ...mood, label: { ...mood.label, window: '1h' } },
      ],
    },
    prefix: 'p',
  },
}

for (const [name, { changes, prefix }] of Object.entries(CLASSES_OF)) {
  test(`figures of classes are those that anybody can count of the published probabilities: ${name}`, async () => {
    const own = { ...config, ...changes }
    const whole = new Workspace(own)
    write(whole, 600)
    const { mood } = (await replay(whole)).tasks
    const { labels, confusion, sums } = countClasses(await whole.records<Prediction>('predictions'), prefix)
    assert.equal(mood.count, labels)
    for (const [figure, sum] of sums)
      assert.ok(Math.abs(mood[figure] - sum / labels) < 1e-9, `${figure} ${mood[figure]}, ${sum / labels}`)
    assert.deepEqual(mood.classes, { names: MOODS, confusion })
    const metrics = await whole.records<{ task: string; window: string; values: Record<string, number> }>('metrics')
    for (const kind of ['window', 'total'])
      assert.ok(
        metrics.some(one => one.task === 'mood' && one.window === kind && one.values.crossEntropy! > 0),
        kind,
      )

    await assertResumes(whole, own)
  })
}

test('a text that is no class is no label, as one that is missing, and no dead letter', async () => {
  const workspace = new Workspace(config)
  const log = createLogWriter({ path: workspace.path('log'), partitions: 1 })
  const texts = ['positive', 'ecstatic', 'neutral', '', 'Positive', undefined, 'negative']
  for (const [index, sentiment] of texts.entries()) {
    const stamp = { eventId: `g${index}`, eventTime: START_MS + index * MINUTE }
    const context = sentiment === undefined ? null : { sentiment }
    log.write(0, 'rating', { ...stamp, user: 'u', item: 'i', value: 3, context })
  }
  log.close()
  const { tasks, counts } = await replay(workspace)
  assert.deepEqual([tasks.mood.count, tasks.mood.missingLabels, counts.rejects], [3, 4, {}])
  assert.deepEqual(
    tasks.mood.classes.confusion.flat().reduce((sum: number, count: number) => sum + count),
    3,
  )
})

test('predictions are written as before where no task is categorical', async () => {
  const workspace = new Workspace({
    ...config,
    tasks: tasks.filter(({ head }: { head?: string }) => head !== 'categorical'),
  })
  write(workspace, 100)
  const { sentiment } = (await replay(workspace)).tasks
  assert.ok(sentiment.count > 0 && !('classes' in sentiment) && !('crossEntropy' in sentiment))
  const [one] = await workspace.records('predictions')
  assert.equal(one !== undefined && 'classes' in one, false)
})

test('a price that changes labels what is bought from then on', async () => {
  const workspace = new Workspace({ ...config, fast: { enabled: false } })
  const log = createLogWriter({ path: workspace.path('log'), partitions: 1 })
  const at = (minute: number) => ({ eventId: `e${minute}`, eventTime: START_MS + minute * MINUTE })
  const buy = { user: 'u', item: 'i', requestId: null }
  log.write(0, 'buy', { ...buy, ...at(0) })
  log.write(0, 'item', { ...at(1), id: 'i', price: 5 })
  log.write(0, 'buy', { ...buy, ...at(2) })
  log.write(0, 'item', { ...at(3), id: 'i', price: 9 })
  log.write(0, 'buy', { ...buy, ...at(4) })
  log.close()
  const { price } = (await replay(workspace)).tasks
  assert.deepEqual([price.count, price.meanLabel, price.missingLabels], [2, 7, 1])
})

test('from the checkpoint in the middle of the log a run goes on to the same bytes', async () => {
  const whole = new Workspace(config)
  write(whole, 600)
  await replay(whole)
  await assertResumes(whole, config)
})

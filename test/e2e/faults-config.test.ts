/** What a newcomer gets wrong: the message names the place and what was probably meant; never a stack trace. */
import assert from 'node:assert/strict'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { ERRORS } from '../../src/domain/errors.js'
import { type Finished, millrace } from '../helpers/process.js'
import { Workspace } from '../helpers/workspace.js'

const TASKS = 'tasks:\n  - { name: click, head: binary, label: { event: click, window: 30m } }\n'
const FEATURES = 'features:\n  slots:\n    - { name: user, from: user }\n'

const workspace = new Workspace(TASKS + FEATURES)
const file = workspace.path('millrace.yaml')

function refused({ code, stdout, stderr }: Finished, error: keyof typeof ERRORS, message: string | RegExp): void {
  assert.equal(code, ERRORS[error].exitCode, stderr)
  assert.equal(stdout, '')
  // A run says first where its dashboard is.
  const said = stderr.replace(/^\{"level":30,.*\n/gm, '')
  assert.ok(said.startsWith(`millrace: ${error}: `), stderr)
  assert.ok(typeof message === 'string' ? stderr.includes(message) : message.test(stderr), stderr)
  assert.ok(stderr.includes(ERRORS[error].remedy), stderr)
  assert.doesNotMatch(stderr, /^ +at /m)
}

const faults: Record<string, { text: string; place: string; message: string }> = {
  'an unknown key': {
    text: `${TASKS}${FEATURES}batch:\n  maxExample: 5\n`,
    place: '7:3',
    message: "batch.maxExample: unknown key, did you mean 'maxExamples'?",
  },
  'an unknown section': {
    text: `${TASKS}${FEATURES}modell: {}\n`,
    place: '6:1',
    message: "modell: unknown key, did you mean 'model'?",
  },
  'an unknown key in a list': {
    text: `${TASKS}features:\n  slots:\n    - { name: user, form: user }\n`,
    place: '5:21',
    message: "features.slots.0.form: unknown key, did you mean 'from'?",
  },
  'a wrong unit': {
    text: `${TASKS}${FEATURES}batch: { tick: 10 minutes }\n`,
    place: '6:16',
    message: "batch.tick: expected a duration such as '250ms', '10s', '1h30m' or '7d'",
  },
  'a number without its unit': {
    text: `${TASKS}${FEATURES}batch: { tick: 10 }\n`,
    place: '6:16',
    message: 'batch.tick: ',
  },
  'a value that is not offered': {
    text: `${TASKS}${FEATURES}model:\n  architecture: moe\n`,
    place: '7:17',
    message: 'model.architecture: ',
  },
  'what is missing': { text: FEATURES, place: '1:1', message: 'tasks: ' },
  'YAML that is broken': { text: `${TASKS}features: [\n`, place: '4:1', message: '' },
  'a task without a range': {
    text: `tasks:\n  - name: stars\n    head: regression\n    label: { event: rating }\n${FEATURES}`,
    place: '2:5',
    message: 'tasks.0: the head regression needs a range, such as [1, 5]',
  },
  'topics for the outputs of a log folder': {
    text: `${TASKS}${FEATURES}outputs:\n  path: out\n  kafka: {}\n`,
    place: '8:3',
    message: 'outputs.kafka: outputs go to topics only where events come from topics. Add source.kafka',
  },
  'two tasks of one name': {
    text: `${TASKS}  - { name: click, head: binary, label: { event: buy, window: 1d } }\n${FEATURES}`,
    place: '3:13',
    message: "tasks.1.name: there are two tasks named 'click'",
  },
}

for (const [name, { text, place, message }] of Object.entries(faults)) {
  test(`${name} is named by file, line and column`, async () => {
    workspace.configure(text)
    refused(await millrace(['config', 'lint', file]), 'CONFIG_INVALID', `${file}:${place}: ${message}`)
  })
}

test('all faults of a file are named at once', async () => {
  workspace.configure(`${TASKS}${FEATURES}batch: { tick: 1 day, maxExamples: 0 }\nnmae: x\n`)
  const { stderr } = await millrace(['config', 'lint', file])
  for (const path of ['batch.tick', 'batch.maxExamples', 'nmae']) assert.ok(stderr.includes(`: ${path}: `), stderr)
})

test('a configuration that is not there, or is a folder', async () => {
  const missing = workspace.path('nothing.yaml')
  refused(await millrace(['run', missing]), 'CONFIG_INVALID', missing)
  refused(await millrace(['config', 'print', workspace.folder]), 'CONFIG_INVALID', 'EISDIR')
})

test('a log that is not there and that nothing makes', async () => {
  workspace.configure(`source: { log: no/log }\n${TASKS}${FEATURES}`)
  const path = workspace.path('no', 'log')
  refused(await millrace(['replay', file]), 'LOG_NOT_FOUND', `${path} is not there`)
  mkdirSync(path, { recursive: true })
  refused(await millrace(['replay', file]), 'LOG_NOT_FOUND', `${path} has no partition folders and no .avro files`)
  rmSync(path, { recursive: true })
})

test('a CSV file or a mapping that is not there, or not right, and no half-made log behind', async () => {
  const csv = workspace.path('events.csv')
  const mapping = workspace.path('events.import.yaml')
  workspace.configure(
    `source: { log: made, import: { file: events.csv, mapping: events.import.yaml } }\n${TASKS}${FEATURES}`,
  )
  refused(await millrace(['run', file]), 'LOG_NOT_FOUND', csv)
  writeFileSync(csv, 'user,item,when\nu1,i1,2024\n')
  refused(await millrace(['run', file]), 'IMPORT_INVALID', `${mapping}: the mapping can not be read`)
  writeFileSync(mapping, 'time: { column: when, unit: s }\nevnt: click\n')
  refused(await millrace(['run', file]), 'IMPORT_INVALID', new RegExp(`${mapping}:2:1: .*did you mean 'event'`))
  writeFileSync(mapping, 'time: { column: wen, unit: s }\nevent: click\nfields: { user: user, item: item }\n')
  refused(await millrace(['run', file]), 'IMPORT_INVALID', "'wen'")
  refused(await millrace(['import', csv, '--mapping', workspace.path('none.yaml')]), 'IMPORT_INVALID', 'none.yaml')
  refused(await millrace(['replay', file]), 'IMPORT_INVALID', "'wen'")
})

test('settings on the command line are checked like the file', async () => {
  workspace.configure(TASKS + FEATURES)
  refused(
    await millrace(['config', 'print', file, '--set', 'batch.tik=5m']),
    'CONFIG_INVALID',
    "batch.tik: unknown key, did you mean 'tick'?",
  )
  refused(
    await millrace(['config', 'print', file, '--set', 'batch.tick']),
    'USAGE',
    '--set batch.tick: expected KEY=VALUE',
  )
  refused(await millrace(['config', 'print', file, '--set', '__proto__.tick=1']), 'CONFIG_INVALID', 'unknown key')
})

test('a command, a flag or an argument that does not exist', async () => {
  for (const [args, message] of [
    [['replya', file], /unknown command 'replya'[\s\S]*Did you mean replay/],
    [['replay', file, '--resum'], /unknown option '--resum'[\s\S]*Did you mean --resume/],
    [['replay'], /missing required argument 'file'/],
    [['simulate', '--events', 'many'], /--events many: expected a number/],
    [['simulate', '--bots', '2'], /--bots: /],
  ] as const) {
    const { code, stdout, stderr } = await millrace(args)
    assert.deepEqual({ code, stdout }, { code: 2, stdout: '' }, stderr)
    assert.match(stderr, message)
  }
})

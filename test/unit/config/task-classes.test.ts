import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asyncapiYaml } from '../../../src/config/asyncapi.js'
import { type ConfigInput, configSchema } from '../../../src/config/schema.js'
import { classColumns, predictionSchema, taskClasses } from '../../../src/config/task-classes.js'
import { smallConfig } from '../../helpers/small-config.js'

const label = (classes: string[], of: string | string[]) => ({ event: 'rating', from: 'context.x', classes, of })
const categorical = [
  smallConfig.tasks[0],
  { name: 'mood', head: 'categorical', label: label(['bad', 'fair', 'good'], 'good') },
  { name: 'stars', head: 'distribution', label: { event: 'rating' }, range: [1, 5] },
  { name: 'kind', head: 'categorical', label: label(['x', 'y'], ['x']) },
]
const configOf = (tasks: readonly unknown[]) =>
  configSchema.parse({
    ...smallConfig,
    tasks,
    source: { kafka: { topics: ['events'] } },
    outputs: { kafka: {} },
    kafka: { registry: {} },
  } as unknown as ConfigInput)

test('classes of all categorical tasks stand side by side, each with its task', () => {
  const classes = taskClasses(configOf(categorical).tasks)
  assert.deepEqual(
    classes.map(({ name, task, first, asked }) => [name, task, first, asked]),
    [
      ['mood', 1, 0, [false, false, true]],
      ['kind', 3, 3, [true, false]],
    ],
  )
  assert.equal(classColumns(classes), 5)
})

test('predictions have classes in their schema, and the topics say so, only where a task is categorical', () => {
  const [without, withClasses] = [configOf(smallConfig.tasks), configOf(categorical)]
  assert.deepEqual(
    [without, withClasses].map(({ tasks }) => predictionSchema(tasks)),
    ['prediction', 'class-prediction'],
  )
  assert.equal(asyncapiYaml(without).includes('categorical'), false)
  assert.match(asyncapiYaml(withClasses), /name: classes\n/)
})

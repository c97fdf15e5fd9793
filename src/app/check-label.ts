/** What the schema alone can not say of tasks[].label: which of its keys go with which head, event and source. */
import { isOfText, labelSource } from '../config/label-source.js'
import type { TaskConfig } from '../config/schema.js'

interface LabelFault {
  /** Below the task. */
  path: string[]
  message: string
}

export function* checkLabel(task: TaskConfig): Generator<LabelFault> {
  if (task.head === 'categorical') {
    yield* checkCategorical(task)
    return
  }
  for (const key of ['classes', 'of'] as const)
    if (task.label[key] !== undefined) yield { path: ['label', key], message: 'is for the head categorical' }
  yield* task.head === 'binary' ? checkBinary(task) : checkNumeric(task)
}

function* checkCategorical({ label, range }: TaskConfig): Generator<LabelFault> {
  const { classes = [], of = [] } = label
  for (const key of [...CONDITIONS, 'transform'] as const)
    if (label[key] !== undefined) yield { path: ['label', key], message: 'is not for the head categorical' }
  if (range !== undefined) yield { path: ['range'], message: 'classes have no range' }
  if (labelSource(label.from).of === 'value')
    yield { path: ['label', 'from'], message: 'name a text, such as context.sentiment or item.category' }
  if (classes.length === 0) yield { path: ['label'], message: 'the head categorical needs `classes`' }
  else if (new Set(classes).size < classes.length)
    yield { path: ['label', 'classes'], message: 'a class is there twice' }
  else if (of.length === 0 || of.length >= classes.length || of.some(text => !classes.includes(text)))
    yield { path: ['label'], message: '`of` must name some of the classes, not all' }
}

const CONDITIONS = ['atLeast', 'equals', 'sameAs'] as const

function* checkBinary(task: TaskConfig): Generator<LabelFault> {
  const { label } = task
  const { event, window } = label
  const conditions = CONDITIONS.filter(key => label[key] !== undefined)
  if (conditions.length > 1)
    yield { path: ['label'], message: `one of ${CONDITIONS.join(', ')}, not ${conditions.join(' and ')}` }
  if (isOfText(task) && labelSource(label.from).of === 'value')
    yield {
      path: ['label', 'from'],
      message: `${conditions[0]} compares texts: name one, such as context.action, item.brand or user.country`,
    }
  if (label.transform !== undefined) yield { path: ['label', 'transform'], message: 'is for the head regression' }
  if (conditions.length > 0) return
  if (event === 'rating') yield { path: ['label'], message: 'a binary task on ratings needs atLeast, equals or sameAs' }
  else if (label.from !== undefined)
    yield { path: ['label', 'from'], message: 'a binary task asks something of it: atLeast, equals or sameAs' }
  else if (window === undefined)
    yield {
      path: ['label'],
      message: `a binary task on ${event}s needs a window: without impressions that were not ${event}ed there is nothing to tell apart`,
    }
}

function* checkNumeric({ label, head, range }: TaskConfig): Generator<LabelFault> {
  for (const key of CONDITIONS)
    if (label[key] !== undefined) yield { path: ['label', key], message: `only binary tasks have ${key}` }
  if (label.event === 'click' && labelSource(label.from).of === 'value')
    yield {
      path: ['label', 'event'],
      message: `the head ${head} learns a number; a click has none. Name one in label.from, such as item.price or context.seconds`,
    }
  if (label.transform === undefined) return
  if (head !== 'regression') yield { path: ['label', 'transform'], message: 'is for the head regression' }
  if (range !== undefined && range[0] < 0) yield { path: ['range'], message: 'log1p needs values of at least 0' }
}

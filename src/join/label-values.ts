/**
 * What a click, buy or rating says of each task: the value that the task's label comes from (`label.from`), and what the
 * task makes of it (`equals`, `sameAs`, `atLeast`, or the value itself). Read once, when the event comes; profiles are as of
 * then.
 *
 * A value that is missing, no number, or (of a profile) out of the task's range gives no label, and is counted. For a task of
 * the entire space that is something to remember: the impression may have been what is asked, so it is no 0 either. There,
 * an event that is not what is asked (a click that is no share) is not this task's event at all: another may come.
 */
import { isOfText, type LabelSource, labelSource } from '../config/label-source.js'
import type { TaskConfig } from '../config/schema.js'
import type { Id, Positive } from '../domain/event.js'
import { labelOfClass } from '../domain/heads.js'

/** Stored as a label: the task is masked. Not NaN, whose bytes may differ from run to run. */
export const UNKNOWN = Number.NEGATIVE_INFINITY
/** The event says nothing of the task. Never stored. */
export const NOTHING = Number.POSITIVE_INFINITY

/** Of a label that may be neither. */
export function isPositive(label: number | undefined): boolean {
  return label !== undefined && label > 0 && label !== NOTHING
}

/** What profiles say as of now. */
export interface LabelFacts {
  /** undefined: the profile lacks it. */
  number(side: 'user' | 'item', id: Id, name: string): number | undefined
  /** What tells the values of an attribute apart; empty: the profile lacks it. */
  values(side: 'user' | 'item', id: Id, name: string): readonly number[]
  /** The same of a text. */
  valueOf(text: string): number
}

export const NO_FACTS: LabelFacts = { number: () => undefined, values: () => [], valueOf: () => 0 }

/** [tasks] labels, UNKNOWN or NOTHING; valid until the next call. */
export type ReadLabels = (event: Positive) => Float32Array

/** onMissing: a task's value could not be had. entireSpace: by task, an event that is not what is asked is none. */
export function createReadLabels(
  tasks: readonly TaskConfig[],
  entireSpace: readonly boolean[],
  facts: LabelFacts,
  onMissing: (task: number) => void,
): ReadLabels {
  const labels = new Float32Array(tasks.length)
  const readers = tasks.map(task => createRead(task, facts))
  return function readLabels(event) {
    for (const [index, { label }] of tasks.entries()) {
      labels[index] = NOTHING
      if (label.event !== event.kind) continue
      const value = readers[index]?.(event)
      const isAsked = entireSpace[index] === true && label.window !== undefined
      if (value === undefined) {
        onMissing(index)
        if (isAsked) labels[index] = UNKNOWN
      } else if (!isAsked || value > 0) labels[index] = value
    }
    return labels
  }
}

/** undefined: the value is missing. */
function createRead(task: TaskConfig, facts: LabelFacts): (event: Positive) => number | undefined {
  const { label, head, range } = task
  const source = labelSource(label.from)
  if (head === 'categorical') return createReadClass(task, source, facts)
  if (isOfText(task)) {
    const wanted = (label.equals ?? []).map(text => facts.valueOf(text))
    const same = label.sameAs === undefined ? undefined : labelSource(label.sameAs)
    return event => {
      const values = textsOf(source, event, facts)
      const others = same === undefined ? wanted : textsOf(same, event, facts)
      if (values.length === 0 || others.length === 0) return undefined
      return values.some(value => others.includes(value)) ? 1 : 0
    }
  }
  const { atLeast } = label
  if (head === 'binary') {
    return event => {
      const value = numberOf(source, event, facts)
      return value === undefined ? undefined : atLeast === undefined || value >= atLeast ? 1 : 0
    }
  }
  const [lowest, highest] = range ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]
  return event => {
    const value = numberOf(source, event, facts)
    return value !== undefined && value >= lowest && value <= highest ? value : undefined
  }
}

function createReadClass(
  { label: { classes = [], of = [] } }: TaskConfig,
  source: LabelSource,
  facts: LabelFacts,
): (event: Positive) => number | undefined {
  const labels = new Map(
    classes.map((text, index) => [facts.valueOf(text), labelOfClass(index, of.includes(text))] as const),
  )
  return event => textsOf(source, event, facts).flatMap(value => labels.get(value) ?? [])[0]
}

function numberOf(source: LabelSource, event: Positive, facts: LabelFacts): number | undefined {
  if (source.of === 'value') return event.value
  if (source.of === 'context') return contextNumber(event, source.name)
  return facts.number(source.of, event[source.of], source.name)
}

/** A number in an event's context; undefined: there is none, or it is no finite number. */
export function contextNumber(event: Positive, name: string): number | undefined {
  const text = event.context?.[name]
  if (text === undefined || text.trim() === '') return undefined
  const value = Number(text)
  return Number.isFinite(value) ? value : undefined
}

function textsOf(source: LabelSource, event: Positive, facts: LabelFacts): readonly number[] {
  if (source.of === 'value') return []
  if (source.of !== 'context') return facts.values(source.of, event[source.of], source.name)
  const text = event.context?.[source.name]
  return text === undefined || text === '' ? [] : [facts.valueOf(text)]
}

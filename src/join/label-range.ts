/**
 * A label outside the range of a numeric task is not a label: a 40 on a scale from 1 to 5 would move the weights of
 * everybody who shares them. Such a record is refused as a whole before it counts anywhere. Where the value is not the
 * record's own but a profile's, the record is in order, and the task is masked (label-values.ts).
 */
import { labelSource } from '../config/label-source.js'
import type { TaskConfig } from '../config/schema.js'
import type { Event } from '../domain/event.js'
import { contextNumber } from './label-values.js'

/** What is wrong with the event's value as a label; undefined if nothing is. */
export function createLabelCheck(tasks: readonly TaskConfig[]): (event: Event) => string | undefined {
  const ranges = tasks.flatMap(({ name, label, range }) => {
    const source = labelSource(label.from)
    const isOwn = source.of === 'value' || source.of === 'context'
    return range === undefined || !isOwn ? [] : [{ name, kind: label.event, range, source }]
  })
  return function labelFault(event) {
    if (event.kind !== 'rating' && event.kind !== 'buy' && event.kind !== 'click') return undefined
    for (const { name, kind, range, source } of ranges) {
      if (kind !== event.kind) continue
      const value = source.of === 'context' ? contextNumber(event, source.name) : event.value
      if (value !== undefined && (value < range[0] || value > range[1]))
        return `${value} is not within [${range[0]}, ${range[1]}], the range of the task ${name}`
    }
    return undefined
  }
}

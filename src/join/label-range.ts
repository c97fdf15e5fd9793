/**
 * A label outside the range of a numeric task is not a label: a 40 on a scale from 1 to 5 would move the weights of
 * everybody who shares them. Such a record is refused as a whole before it counts anywhere.
 */
import type { TaskConfig } from '../config/schema.js'
import type { Event } from '../domain/event.js'

/** What is wrong with the event's value as a label; undefined if nothing is. */
export function createLabelCheck(tasks: readonly TaskConfig[]): (event: Event) => string | undefined {
  const ranges = tasks.flatMap(({ name, label, range }) =>
    range === undefined ? [] : [{ name, kind: label.event, range }],
  )
  return function labelFault(event) {
    if (event.kind !== 'rating' && event.kind !== 'buy') return undefined
    for (const { name, kind, range } of ranges) {
      if (kind === event.kind && (event.value < range[0] || event.value > range[1]))
        return `${event.value} is not within [${range[0]}, ${range[1]}], the range of the task ${name}`
    }
    return undefined
  }
}

/** The classes of all categorical tasks side by side, in the order of the configuration: one column each. */
import type { TaskConfig } from './schema.js'

export interface TaskClasses {
  name: string
  /** Index of the task. */
  task: number
  /** Column of its first class. */
  first: number
  classes: readonly string[]
  /** By class: it is one of `label.of`. */
  asked: readonly boolean[]
}

export function taskClasses(tasks: readonly TaskConfig[]): TaskClasses[] {
  let columns = 0
  return tasks.flatMap(({ name, head, label: { classes = [], of = [] } }, task) => {
    if (head !== 'categorical') return []
    const first = columns
    columns += classes.length
    return { name, task, first, classes, asked: classes.map(text => of.includes(text)) }
  })
}

/** How many columns they are. */
export function classColumns(all: readonly TaskClasses[]): number {
  return all.reduce((columns, { classes }) => columns + classes.length, 0)
}

/** Name in schemas/ of what predictions are written with. Without classes it is what it was before there were any. */
export function predictionSchema(tasks: readonly TaskConfig[]): 'prediction' | 'class-prediction' {
  return taskClasses(tasks).length > 0 ? 'class-prediction' : 'prediction'
}

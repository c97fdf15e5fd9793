/** What an example's columns hold, for both threads. */
import type { Config } from '../config/schema.js'
import { classColumns, taskClasses } from '../config/task-classes.js'
import type { ColumnLayout } from '../features/columns.js'
import type { FeatureLayout } from '../features/layout.js'
import { NOTES } from '../model/fast/two-speed.kernel.js'

export function columnsOf({ tasks, fast }: Config, { keyPlaces, dense }: FeatureLayout): ColumnLayout {
  // The fast part's notes come first; behind them the shares of classes, and at the end, where a task is calibrated, what
  // the model said before.
  const raw = tasks.some(task => task.calibration !== undefined) ? tasks.length : 0
  const notes = fastNotes({ tasks, fast }) + classColumns(taskClasses(tasks)) + raw
  return { keyPlaces, dense: dense.length, tasks: tasks.length, notes }
}

/** Where the shares of classes begin in an example's notes. */
export function fastNotes({ tasks, fast }: Pick<Config, 'tasks' | 'fast'>): number {
  return fast.enabled ? tasks.length * NOTES : 0
}

/** What an example's columns hold, for both threads. */
import type { Config } from '../config/schema.js'
import type { ColumnLayout } from '../features/columns.js'
import type { FeatureLayout } from '../features/layout.js'
import { NOTES } from '../model/fast/two-speed.kernel.js'

export function columnsOf({ tasks, fast }: Config, { keyPlaces, dense }: FeatureLayout): ColumnLayout {
  // The fast part's notes come first; behind them, where a task is calibrated, what the model said before.
  const raw = tasks.some(task => task.calibration !== undefined) ? tasks.length : 0
  return { keyPlaces, dense: dense.length, tasks: tasks.length, notes: (fast.enabled ? tasks.length * NOTES : 0) + raw }
}

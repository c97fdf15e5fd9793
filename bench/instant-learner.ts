/** A learner that learns nothing and answers at once, so that only the main thread's work is left. */
import type { Config } from '../src/config/schema.js'
import type { LearnerPort } from '../src/pipeline/learner.js'

export async function startInstantLearner({ tasks }: Config): Promise<LearnerPort & { backend: string }> {
  const zeros = new Float32Array(tasks.length)
  const tables = { rows: 0, biases: 0, wide: 0, admitted: 0, evicted: 0, expired: 0, bytes: 0 }
  let step = 0
  return {
    backend: 'none',
    addSlab() {},
    score: async ({ rows }) => ({ values: new Float32Array(rows.length * tasks.length), modelVersion: step }),
    learn: async ({ rows }) => {
      step++
      const values = new Float32Array(rows.length * tasks.length)
      return { step, loss: 0, values, alarms: [], taskLosses: zeros, taskWeights: zeros }
    },
    erase: async () => {
      step++
      return { rows: 0, fast: 0 }
    },
    metrics: async () => ({
      step,
      window: [],
      totals: [],
      byExperience: [],
      loss: 0,
      taskWeights: [...zeros],
      tables,
      deepRestarts: 0,
    }),
    calibration: async () => [],
    snapshot: async () => ({ parts: [], metrics: {} }),
    save: async () => [],
    load: async () => {},
    close: async () => {},
  }
}

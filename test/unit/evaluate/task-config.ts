import type { TaskConfig } from '../../../src/config/schema.js'

export function taskConfig(name: string, head: TaskConfig['head']): TaskConfig {
  const event = head === 'binary' ? 'click' : 'rating'
  return { name, head, label: { event, attribution: 'last', late: 'wait' }, prior: 1, rank: 1 }
}

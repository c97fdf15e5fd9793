/** Where a label's value comes from (tasks[].label.from, sameAs): parsed once, and what of profiles is needed for it. */
import type { TaskConfig } from './schema.js'

export type LabelSource =
  | { of: 'value' }
  | { of: 'context'; name: string }
  /** An attribute of the profile, as of the event that makes the label. */
  | { of: 'user' | 'item'; name: string }

export function labelSource(from: string | undefined): LabelSource {
  const at = from?.indexOf('.') ?? -1
  if (from === undefined || at < 0) return { of: 'value' }
  return { of: from.slice(0, at) as 'context' | 'user' | 'item', name: from.slice(at + 1) }
}

/** Whether the label compares texts; else it is, or is made of, a number. */
export function isOfText({ label, head }: TaskConfig): boolean {
  return head === 'categorical' || label.equals !== undefined || label.sameAs !== undefined
}

export interface ProfileNeed {
  side: 'user' | 'item'
  name: string
  kind: 'text' | 'number'
}

/** What labels need of profiles, beside what features need. */
export function profileNeeds(tasks: readonly TaskConfig[]): ProfileNeed[] {
  return tasks.flatMap(task =>
    [task.label.from, task.label.sameAs].flatMap((from): ProfileNeed[] => {
      const source = labelSource(from)
      if (source.of === 'value' || source.of === 'context') return []
      return [{ side: source.of, name: source.name, kind: isOfText(task) ? 'text' : 'number' }]
    }),
  )
}

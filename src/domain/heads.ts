/**
 * Heads whose value is a probability, and what their labels say. A binary label is 1 or 0. One of a categorical task is its
 * class, counted from 1 in the order of the configuration, and negative for a class that is not in `of`: so what is asked
 * for is positive here too, and only the network needs to know the class.
 */

export function isProbability(head: string): boolean {
  return head === 'binary' || head === 'categorical'
}

/** The label as what is predicted is compared with: of a categorical task 1 or 0, else as it is. */
export function outcomeOf(head: string | undefined, label: number): number {
  if (head !== 'categorical') return label
  return label > 0 ? 1 : 0
}

/** index: of the class, from 0. */
export function labelOfClass(index: number, isAsked: boolean): number {
  return isAsked ? index + 1 : -index - 1
}

/** The reverse; NaN stays NaN. */
export function classOfLabel(label: number): number {
  return Math.abs(label) - 1
}

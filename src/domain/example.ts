/**
 * The mask of a label within an example: 0 = there is none. A task of a funnel (`given` in the configuration) needs to
 * know more than its own label, since the label of the task before it may have been learned long ago.
 */

/** The label counts now. */
export const MASK_COUNTED = 1
/** Beside MASK_COUNTED: the task that this one is given had a positive label, or this one has, which implies it. */
export const MASK_REACHED = 2

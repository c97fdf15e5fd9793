/**
 * The mask of a label within an example: bits that say what is done with it; 0 = there is none. Learning and judging are
 * apart, because a label that may still change is learned early and judged when it is final.
 *
 * A task of a funnel (`given` in the configuration) is learned twice: in the entire space (the product of the way) and
 * where the funnel got so far (the step itself), hence two bits of each kind.
 */

/** Learn it. */
export const MASK_COUNTED = 1
/** Funnels: learn the step, since the task that this one is given had a positive label, or this one has, which implies it. */
export const MASK_REACHED = 2
/** The label is final: the score that was made on arrival is judged by it. */
export const MASK_JUDGED = 4
/** The label is positive after it was learned as 0: learn the positive and take that back. Without MASK_COUNTED. */
export const MASK_TAKEN_BACK = 8
/** Funnels: the same for the step. Without MASK_REACHED. */
export const MASK_STEP_TAKEN_BACK = 16

/** Anything that a model learns from. */
export const MASK_LEARNED = MASK_COUNTED | MASK_REACHED | MASK_TAKEN_BACK | MASK_STEP_TAKEN_BACK

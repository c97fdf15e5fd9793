/**
 * One default for every task and every log. Units: logit (binary) or label / scale (numeric). What each costs when it is
 * changed: docs/learning.md.
 */

/** Length of a factor vector. */
export const FACTORS = 8
/** Prior variance of an id's bias: the bank has one member per value, so that no log needs a setting of its own. */
export const ID_BIASES = [0.05, 0.5] as const
export const MEMBERS = ID_BIASES.length
/** Prior variance of a side feature's bias, as a multiple of the id's. */
export const SIDE_BIAS = 0.05
export const ID_FACTOR = 0.1
export const SIDE_FACTOR = 0.01
/** Standard deviation of the factors' start: 0 never leaves 0, .2 is noise. */
export const FACTOR_START = 0.03
/** Prior variance of the weight of a numeric input. */
export const DENSE = 0.03
/** Prior variance of the constant. */
export const CONSTANT = 1
/** Process noise a touch, as a share of the prior variance: the filter never freezes. Users drift most. */
export const DRIFT_USER = 0.01
export const DRIFT = 1e-5
/** The same, of numeric inputs and of the constant, which are touched by every label. */
export const DRIFT_SHARED = 1e-6
/** Gaussian: variance of an observation, in squared scales. */
export const NOISE = 0.4
/** Logistic: floor of p (1 − p). */
export const LEAST_CURVATURE = 0.01
/** Gaussian: a surprise counts at most so many predicted standard deviations (Huber 1964). */
export const HUBER = 3

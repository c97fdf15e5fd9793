/**
 * A task that is `given` another, in a funnel: its head learns the probability that the funnel goes on, and what it
 * predicts is the product over the whole way (Ma et al., SIGIR 2018, "Entire Space Multi-Task Model"):
 *
 *   p_k = p_before(k) · σ(z_k)
 *
 *   esmm    loss of p_k over all examples. The head alone is never told what it stands for, and is useless alone.
 *   esmm+   also the loss of σ(z_k) over the examples that reached it. Over esmm .10 AUC of p(buy | click) on Tmall, and
 *           .004 of p(buy).
 *
 * The product is never formed. With a the logit of p_before and b = z_k, the logit of the product is
 *
 *   log (p / (1 − p)) = b − softplus(b − a + softplus(−b))
 *
 * which is finite for all finite a and b, and the loss of p_k is that of any binary task on this logit.
 */
import type { TaskConfig } from '../../config/schema.js'
import type { GraphBuilder, Node } from '../../graph/graph.js'

export interface FunnelStep {
  task: number
  before: number
}

/** In the order of the tasks, so that `before` is known when it is asked for. */
export function funnelSteps(tasks: readonly TaskConfig[]): FunnelStep[] {
  return tasks.flatMap(({ given }, task) => {
    const before = tasks.findIndex(({ name }) => name === given)
    return before < 0 ? [] : [{ task, before }]
  })
}

/** The logit of σ(a) · σ(b); [B, 1] each. */
function jointLogit(g: GraphBuilder, a: Node, b: Node): Node {
  return g.sub(b, g.softplus(g.add(g.sub(b, a), g.softplus(g.neg(b)))))
}

/** latents [B, K] → the logit of p_k for each step, [B, 1]. */
export function funnelLogits(g: GraphBuilder, latents: Node, steps: readonly FunnelStep[]): Node[] {
  const joint = new Map<number, Node>()
  const column = (task: number) => g.slice(latents, 1, task, 1)
  return steps.map(({ task, before }) => {
    const logit = jointLogit(g, joint.get(before) ?? column(before), column(task))
    joint.set(task, logit)
    return logit
  })
}

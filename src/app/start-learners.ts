/** What learns: one worker thread, or, with challengers, one for each and the contest around them. */
import type { LoadedConfig } from '../config/load.js'
import type { Config } from '../config/schema.js'
import { WorkerLearner } from '../learn/worker-client.js'
import type { Log } from '../observe/log.js'
import { Contest, type Contestant } from '../pipeline/contest.js'
import type { LearnerPort } from '../pipeline/learner.js'
import type { Closers } from './ends.js'
import type { SessionOptions } from './session-options.js'

interface Started {
  learner: LearnerPort & { readonly backend: string }
  /** Where there are challengers. */
  contest: Contest | undefined
}

export async function startLearners(
  { loaded, startLearner, logger }: Pick<SessionOptions, 'loaded' | 'startLearner' | 'logger'>,
  closers: Closers,
): Promise<Started> {
  const { config, hash, challengers } = loaded
  if (startLearner !== undefined || challengers.length === 0) {
    const learner = await (startLearner ?? WorkerLearner.start)(config)
    closers.push(() => learner.close())
    return { learner, contest: undefined }
  }
  const contestants: Contestant[] = []
  for (const [lane, one] of [{ name: config.name, hash, config }, ...challengers].entries()) {
    const learner = await WorkerLearner.start(lane === 0 ? config : configOf(loaded, one.config), lane)
    closers.push(() => learner.close())
    contestants.push({ name: one.name, hash: one.hash, learner })
  }
  const names = challengers.map(({ name }) => name)
  logger.info({ challengers: names }, 'challengers learn beside the configuration')
  const contest = new Contest(config, contestants, onFailure(logger))
  return { learner: contest, contest }
}

/** Where a session reads and writes may be otherwise than in the file; what a challenger may change is its own. */
function configOf({ config }: LoadedConfig, { model, optimizer, weights, table, drift, tasks }: Config): Config {
  return { ...config, model, optimizer, weights, table, drift, tasks }
}

function onFailure(logger: Log): (name: string, reason: string) => void {
  return (challenger, reason) =>
    logger.error({ challenger, reason }, 'a challenger has failed: it is left out until the next start')
}

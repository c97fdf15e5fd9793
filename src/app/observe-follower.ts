/** What can be seen of a follower from outside: health and metrics, on a port of their own. */
import type { LoadedConfig } from '../config/load.js'
import { createHealth } from '../observe/health.js'
import type { Log } from '../observe/log.js'
import { Metrics } from '../observe/metrics.js'
import { type ObserveServer, serveObserved } from '../observe/server.js'
import type { Follower } from '../serve/follower.js'
import type { FollowerState } from '../serve/replica-pair.js'
import { programVersion } from './observation.js'

const STATES: readonly FollowerState[] = ['starting', 'waiting', 'following', 'gap', 'pinned', 'failed', 'closed']

export async function observeFollower(
  follower: Follower,
  { config }: LoadedConfig,
  logger: Log,
): Promise<ObserveServer> {
  const health = createHealth()
  health.live.set('event-loop', () => ({ status: 'ok', text: 'turns' }))
  health.ready.set('version', () => {
    const { version, state, reason, ageMs = 0 } = follower.model()
    if (version === undefined) return { status: 'fail', text: `${state}: ${reason || 'no version has come'}` }
    const text = `${version}, its events ${Math.round(ageMs / 1000)} s old`
    // What is held goes on answering.
    return state === 'following' ? { status: 'ok', text } : { status: 'warn', text: `${text}; ${state}: ${reason}` }
  })
  const metrics = new Metrics()
  metrics.set('millrace_build_info', 1, { version: programVersion() })
  metrics.onScrape(() => {
    const { version, state, ageMs } = follower.model()
    for (const one of STATES) metrics.set('millrace_follower_state', one === state ? 1 : 0, { state: one })
    if (version === undefined || ageMs === undefined) return
    metrics.set('millrace_follower_version', version)
    metrics.set('millrace_follower_age_seconds', ageMs / 1000)
  })
  metrics.watchProcess()
  const server = await serveObserved(config.observe, health, metrics)
  const { url } = server
  logger.info(
    { livez: `${url}/livez`, readyz: `${url}/readyz?verbose`, metrics: `${url}/metrics` },
    'health and metrics',
  )
  return server
}

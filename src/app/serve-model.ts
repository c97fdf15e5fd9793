/** `serve`: a follower with HTTP, until it is told to stop. */
import type { LoadedConfig } from '../config/load.js'
import { MillraceError } from '../domain/errors.js'
import { createLog } from '../observe/log.js'
import { dashboardRoutes } from '../serve/http/dashboard-routes.js'
import { createEventRoutes, type EventTaker } from '../serve/http/event-routes.js'
import { logRoutes } from '../serve/http/log-routes.js'
import { createModelRoutes } from '../serve/http/model-routes.js'
import { serveHttp } from '../serve/http/server.js'
import { statusRoutes } from '../serve/http/status-routes.js'
import { systemClock } from '../std/clock.js'
import { withClosers } from './closers.js'
import { telemetryOf } from './dashboard.js'
import { followLoaded } from './follow.js'
import { programVersion } from './observation.js'
import { observeFollower } from './observe-follower.js'
import { untilSignal } from './signals.js'

const NO_LOG: EventTaker = {
  take: async () => ({ kind: 'refused', status: 409, reason: 'a follower has no log: post events to the learner' }),
}

export async function serveModel(
  loaded: LoadedConfig,
  { snapshots, pin }: { snapshots?: string; pin?: number },
): Promise<void> {
  const { config, folder } = loaded
  const logger = createLog(config.name, config.log.level)
  const work = (stop: AbortSignal) =>
    withClosers(async closers => {
      const follower = await followLoaded(loaded, { logger, pin, ...(snapshots === undefined ? {} : { snapshots }) })
      closers.push(() => follower.close())
      const observed = await observeFollower(follower, loaded, logger)
      closers.push(() => observed.close())
      const telemetry = telemetryOf(loaded, systemClock, false)
      telemetry.read(() => {
        const { version, eventTimeMs = null, reason } = follower.model()
        const state = version === undefined ? 'starting' : 'serving'
        return { state, text: reason, step: version ?? 0, eventTime: eventTimeMs }
      })
      telemetry.sample()
      const timer = setInterval(() => telemetry.sample(), 1000)
      closers.push(async () => clearInterval(timer))
      const server = await serveHttp({
        http: config.http,
        folder,
        version: programVersion(),
        logger,
        clock: systemClock,
        plugins: [
          dashboardRoutes,
          statusRoutes(telemetry),
          logRoutes(logger),
          createEventRoutes(NO_LOG),
          createModelRoutes(follower),
        ],
      })
      closers.push(() => server.close())
      logger.info({ url: server.url, openapi: `${server.url}/openapi.json` }, 'answers over HTTP')
      await Promise.race([aborted(stop), failed(follower)])
    })
  await untilSignal(logger, work, 'what was asked is answered')
}

const aborted = (stop: AbortSignal) =>
  new Promise<void>(resolve => {
    if (stop.aborted) resolve()
    stop.addEventListener('abort', () => resolve(), { once: true })
  })

/** Rejects when versions can not be followed any more: better started again than answering with an old model for ever. */
async function failed(follower: Awaited<ReturnType<typeof followLoaded>>): Promise<never> {
  const reason = await follower.failure()
  throw new MillraceError('SNAPSHOT_NOT_FOUND', `versions can not be followed any more: ${reason}`)
}

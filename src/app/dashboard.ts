/**
 * The dashboard of a run: telemetry, the HTTP server that shows it, and the moment at which it is looked at. It is there
 * before the log is, and stays when the log has been learned, so that what came of it can be looked at.
 */
import { spawn } from 'node:child_process'
import { environment, type LoadedConfig } from '../config/load.js'
import type { LevelledLog } from '../observe/log.js'
import { Telemetry } from '../serve/telemetry/telemetry.js'
import type { Clock } from '../std/clock.js'
import { Board } from './board.js'
import { followLoaded } from './follow.js'
import { Ingest } from './ingest.js'
import { modelOnDemand } from './model-on-demand.js'
import { programVersion } from './observation.js'

const SAMPLE_EVERY_MS = 500

export interface Dashboard {
  readonly telemetry: Telemetry
  readonly url: string
  /** Takes events, once it is told where they go. */
  readonly ingest: Ingest
  /** Of challengers, once it is told of a session. */
  readonly board: Board
  /** Of what is no session: before it and after it. */
  say(state: string, text: string, share?: () => number | null): void
  close(): Promise<void>
}

/** While no version of this run can be there. */
const TOO_EARLY = ['preparing', 'starting', 'restoring']

/** Undefined: the configuration wants none. */
export async function openDashboard(
  loaded: LoadedConfig,
  logger: LevelledLog,
  clock: Clock,
): Promise<Dashboard | undefined> {
  const { config, folder } = loaded
  if (!config.http.enabled) return undefined
  // Not needed otherwise, and it takes its time.
  const [
    { serveHttp },
    { statusRoutes },
    { dashboardRoutes },
    { logRoutes },
    { createEventRoutes },
    { createChallengerRoutes },
  ] = await Promise.all([
    import('../serve/http/server.js'),
    import('../serve/http/status-routes.js'),
    import('../serve/http/dashboard-routes.js'),
    import('../serve/http/log-routes.js'),
    import('../serve/http/event-routes.js'),
    import('../serve/http/challenger-routes.js'),
  ])
  const version = programVersion()
  const telemetry = telemetryOf(loaded, clock, true)
  const model = modelOnDemand(
    () => followLoaded(loaded, { logger }),
    () => (TOO_EARLY.includes(telemetry.now.state) ? 'learning has not begun' : undefined),
  )
  const ingest = new Ingest(loaded, logger, clock)
  const board = new Board(loaded)
  const plugins = [
    dashboardRoutes,
    statusRoutes(telemetry),
    logRoutes(logger),
    createEventRoutes(ingest),
    createChallengerRoutes(board),
    model.routes,
  ]
  const server = await serveHttp({ http: config.http, folder, version, logger, clock, plugins })
  const timer = setInterval(() => telemetry.sample(), SAMPLE_EVERY_MS)
  timer.unref()
  let unsay: (() => void) | undefined
  return {
    telemetry,
    url: server.url,
    ingest,
    board,
    say(state, text, share = () => null) {
      unsay?.()
      unsay = telemetry.read(() => ({ state, text, share: share() }))
      telemetry.sample()
    },
    async close() {
      clearInterval(timer)
      await server.close()
      await ingest.close()
      await model.close()
    },
  }
}

/** What the dashboard says of this configuration. */
export function telemetryOf({ config, hash, challengers }: LoadedConfig, clock: Clock, learns: boolean): Telemetry {
  return new Telemetry(
    {
      name: config.name,
      program: programVersion(),
      backend: null,
      learns,
      scores: true,
      configHash: hash,
      challengers: learns && challengers.length > 0,
      live: config.source.follow || config.source.kafka !== undefined,
      weighting: config.weights.method,
      tasks: config.tasks.map(({ name, head, rank, prior }) => ({ name, head, rank, prior })),
    },
    clock,
  )
}

/** Whether somebody sits there: a terminal at both ends, and no automation. */
export function isWatched(): boolean {
  const { stdin, stdout, stderr } = process
  return stdin.isTTY === true && stdout.isTTY === true && stderr.isTTY === true && !environment().CI
}

/** In the browser of whoever sits there; where there is none, nothing happens. */
export function openBrowser(url: string): void {
  const { DISPLAY, WAYLAND_DISPLAY } = environment()
  const { platform } = process
  const hasScreen = platform === 'darwin' || platform === 'win32' || Boolean(DISPLAY ?? WAYLAND_DISPLAY)
  if (!isWatched() || !hasScreen) return
  const [command, args] =
    platform === 'darwin'
      ? ['open', [url]]
      : platform === 'win32'
        ? ['cmd', ['/c', 'start', '', url]]
        : ['xdg-open', [url]]
  const opener = spawn(command as string, args as string[], { stdio: 'ignore', detached: true })
  opener.on('error', () => {})
  opener.unref()
}

import { pino } from 'pino'

/** Structured log lines on standard error, so that standard output stays free for results. */
export interface Log {
  debug(details: Record<string, unknown>, message: string): void
  info(details: Record<string, unknown>, message: string): void
  warn(details: Record<string, unknown>, message: string): void
  error(details: Record<string, unknown>, message: string): void
}

export const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const
export type Level = (typeof LEVELS)[number]

/** One whose level can be changed while it is used. */
export interface LevelledLog extends Log {
  level: Level
}

export function createLog(name: string, level: Level): LevelledLog {
  const destination = pino.destination({ dest: 2, sync: true })
  // Whoever reads the log may go away; learning goes on.
  destination.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
  return pino({ name, level, base: { name } }, destination) as unknown as LevelledLog
}

export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} }

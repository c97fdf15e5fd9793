import { pino } from 'pino'
import type { Config } from '../config/schema.js'

/** Structured log lines on standard error, so that standard output stays free for results. */
export interface Log {
  debug(details: Record<string, unknown>, message: string): void
  info(details: Record<string, unknown>, message: string): void
  warn(details: Record<string, unknown>, message: string): void
  error(details: Record<string, unknown>, message: string): void
}

export function createLog(name: string, level: Config['log']['level']): Log {
  const destination = pino.destination({ dest: 2, sync: true })
  // Whoever reads the log may go away; learning goes on.
  destination.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
  return pino({ name, level, base: { name } }, destination)
}

export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} }

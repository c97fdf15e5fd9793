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
  return pino({ name, level, base: { name } }, pino.destination({ dest: 2, sync: true }))
}

export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} }

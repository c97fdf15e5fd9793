import { MillraceError } from '../domain/errors.js'

/** Errors of the disk under one of our codes; errors that have a code already stay as they are. */
export function diskFault(cause: unknown, what: string): MillraceError {
  if (cause instanceof MillraceError) return cause
  const code = (cause as NodeJS.ErrnoException).code
  const full = code === 'ENOSPC' || code === 'EDQUOT'
  return new MillraceError(full ? 'DISK_FULL' : 'OUTPUT_FAILED', `${what}: ${(cause as Error).message}`, { cause })
}

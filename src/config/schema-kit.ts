/** The pieces that the sections of the configuration schema are made of. */
import { z } from 'zod'
import { parseDuration } from '../std/duration.js'

/** A duration such as '10s' or '7d' in the file; milliseconds in the program. */
export const duration = (fallback: string) =>
  z
    .string()
    .refine(text => parseDuration(text) !== undefined, {
      error: "expected a duration such as '250ms', '10s', '1h30m' or '7d'",
    })
    .default(fallback)
    .transform(text => parseDuration(text) ?? Number.NaN)
    .meta({ unit: 'duration' })
export const optionalDuration = () =>
  z
    .string()
    .refine(text => parseDuration(text) !== undefined, {
      error: "expected a duration such as '250ms', '10s', '1h30m' or '7d'",
    })
    .transform(text => parseDuration(text) ?? Number.NaN)
    .optional()
    .meta({ unit: 'duration' })
export const about = <T extends z.ZodType>(type: T, description: string, more: Record<string, unknown> = {}): T =>
  type.meta({ ...type.meta(), description, ...more }) as T
export const name = z.string().regex(/^[A-Za-z][A-Za-z0-9_-]*$/, 'expected a name of letters, digits, _ and -')
/** Never printed or logged. */
export const secret = <T extends z.ZodType>(type: T, description: string, env: string): T =>
  about(type, `${description} Better from the environment, or from a file named by ${env}_FILE.`, { env, secret: true })

/** The log's level, looked at and changed while the process runs. */
import { z } from 'zod'
import { LEVELS, type LevelledLog } from '../../observe/log.js'
import type { HttpPlugin } from './plugin.js'

export function logRoutes(logger: LevelledLog): HttpPlugin {
  const level = z.object({ level: z.enum(LEVELS) })
  return async app => {
    app.get(
      '/v1/log-level',
      { schema: { summary: 'Lowest level that is logged', response: { 200: level } } },
      async () => ({ level: logger.level }),
    )
    app.put(
      '/v1/log-level',
      {
        config: { scope: 'admin' },
        schema: { summary: 'Log from this level on, until the process ends', body: level, response: { 200: level } },
      },
      async ({ body }) => {
        logger.level = body.level
        return { level: logger.level }
      },
    )
  }
}

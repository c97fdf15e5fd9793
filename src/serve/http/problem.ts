/**
 * Errors as callers see them: application/problem+json (RFC 9457). What goes wrong here is said in general terms only;
 * the log has the rest. No answer ever holds a stack trace.
 */
import { STATUS_CODES } from 'node:http'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Log } from '../../observe/log.js'

/** What is wrong with one field of a request. */
interface FieldFault {
  /** '/items/3' */
  path: string
  message: string
}

export const problemSchema = z
  .object({
    type: z.string().meta({ description: 'Always about:blank: the status says it all.' }),
    title: z.string(),
    status: z.int(),
    detail: z.string().optional(),
    errors: z
      .array(z.object({ path: z.string(), message: z.string() }))
      .optional()
      .meta({ description: 'What is wrong with single fields of the request.' }),
  })
  .meta({ description: 'What went wrong (RFC 9457).' })

/** Thrown by a route: an answer other than success, in words for the caller. */
export class HttpProblem extends Error {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>

  constructor(status: number, detail: string, headers: Readonly<Record<string, string>> = {}) {
    super(detail)
    this.name = 'HttpProblem'
    this.status = status
    this.headers = headers
  }
}

export function problemText(status: number, detail?: string, errors?: readonly FieldFault[]): string {
  const title = STATUS_CODES[status] ?? 'Error'
  return JSON.stringify({ type: 'about:blank', title, status, detail, errors })
}

export function sendProblem(reply: FastifyReply, status: number, detail?: string, errors?: readonly FieldFault[]) {
  // In any schema's place: errors have one shape on every route.
  return reply
    .code(status)
    .type('application/problem+json')
    .serializer(text => text as string)
    .send(problemText(status, detail, errors))
}

export function createErrorHandler(logger: Log) {
  return function onError(error: unknown, request: FastifyRequest, reply: FastifyReply) {
    if (error instanceof HttpProblem) return sendProblem(reply.headers(error.headers), error.status, error.message)
    if (hasZodFastifySchemaValidationErrors(error)) {
      const errors = error.validation.map(({ instancePath, message }) => ({
        path: instancePath,
        message: (message ?? 'not valid').replace(/^Invalid input: /, ''),
      }))
      return sendProblem(reply, 400, `the ${error.validationContext ?? 'request'} is not what the schema says`, errors)
    }
    const { statusCode, message, stack } = error as Error & { statusCode?: number }
    // The framework's own: too large, of another type, not JSON.
    if (statusCode !== undefined && statusCode >= 400 && statusCode < 500)
      return sendProblem(reply, statusCode, message)
    logger.error({ route: routeOf(request), error: message, stack }, 'a request failed')
    return sendProblem(reply, 500)
  }
}

/** Method and pattern: a path itself may hold ids. */
export function routeOf(request: FastifyRequest): string {
  return `${request.method} ${request.routeOptions.url ?? 'unknown'}`
}

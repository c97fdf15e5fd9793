/**
 * The HTTP server of a learner or a follower: what all routes have in common, and a place to listen. The routes are
 * plugins of the caller. Each declares its schemas (zod), by which requests are checked, answers are written and
 * /openapi.json is made, and the scope that it needs (`config: { scope }`).
 *
 * It listens on the loopback address unless told otherwise; other origins get no CORS headers, so a browser lets their
 * pages read nothing. No id is logged: a line names the route's pattern, never the path.
 */
import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { resolve } from 'node:path'
import fastify from 'fastify'
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod'
import type { Config } from '../../config/schema.js'
import { MillraceError } from '../../domain/errors.js'
import type { Log } from '../../observe/log.js'
import type { Clock } from '../../std/clock.js'
import { clientOf, createGuard } from './guard.js'
import { registerOpenapi } from './openapi.js'
import type { HttpApp, HttpPlugin } from './plugin.js'
import { createErrorHandler, HttpProblem, problemText, routeOf, sendProblem } from './problem.js'
import { createRateLimit } from './rate-limit.js'

const USUAL_PORT = 8470
/** An id in a path is as long as one in an event may be, and much longer when it is escaped. */
const MAX_PARAM = 8192

/** Nothing may be loaded or framed; the page has a policy of its own. */
const SECURITY_HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
}

export interface HttpServerOptions {
  http: Config['http']
  /** Certificates are relative to it. */
  folder: string
  /** Of the program. */
  version: string
  logger: Log
  clock: Clock
  plugins: readonly HttpPlugin[]
}

export interface HttpServer {
  /** http://host:port */
  readonly url: string
  /** Ends open streams too. */
  close(): Promise<void>
}

/** Builds it and listens. */
export async function serveHttp(options: HttpServerOptions): Promise<HttpServer> {
  const { http } = options
  const app = await createHttpApp(options)
  try {
    await app.listen({ host: http.host, port: http.port ?? USUAL_PORT })
  } catch (error) {
    const isTaken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE'
    if (http.port === undefined && isTaken) await app.listen({ host: http.host, port: 0 })
    else
      throw new MillraceError('PORT_REFUSED', `${http.host}:${http.port}: ${(error as Error).message}`, {
        cause: error,
      })
  }
  const { port } = app.server.address() as AddressInfo
  const name = http.host.includes(':') ? `[${http.host}]` : http.host
  return { url: `${http.tls === undefined ? 'http' : 'https'}://${name}:${port}`, close: () => app.close() }
}

/** All of it but the socket; `app.inject()` asks it. */
export async function createHttpApp(options: HttpServerOptions): Promise<HttpApp> {
  const { http, folder, version, logger, clock, plugins } = options
  const app = fastify({
    bodyLimit: http.maxBodyBytes,
    routerOptions: { maxParamLength: MAX_PARAM },
    requestTimeout: 30_000,
    forceCloseConnections: true,
    return503OnClosing: false,
    clientErrorHandler(_error, socket) {
      if (!socket.writable) return socket.destroy()
      const body = problemText(400)
      socket.end(
        `HTTP/1.1 400 Bad Request\r\ncontent-type: application/problem+json\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`,
      )
    },
    frameworkErrors: (error, _request, reply) => void sendProblem(reply, error.statusCode ?? 400, error.message),
    ...(http.tls === undefined ? {} : { https: certificate(http.tls, folder) }),
  }).withTypeProvider<ZodTypeProvider>() as unknown as HttpApp

  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(serializerCompiler)
  app.setErrorHandler(createErrorHandler(logger))
  app.setNotFoundHandler((_request, reply) => sendProblem(reply, 404, 'there is nothing here; see /openapi.json'))
  // A form of another page could send text; JSON it can not without asking first, which is refused.
  app.removeContentTypeParser('text/plain')

  const guard = createGuard(http.keys, http.host)
  const limit = createRateLimit(http.rate, clock)
  app.addHook('onRequest', async (request, reply) => {
    reply.headers(SECURITY_HEADERS)
    if (http.tls !== undefined) reply.header('strict-transport-security', 'max-age=31536000')
    const seconds = limit(clientOf(request))
    if (seconds > 0) throw new HttpProblem(429, 'too many requests', { 'retry-after': String(seconds) })
    guard(request)
  })
  app.addHook('onResponse', async (request, reply) => {
    const ms = Math.round(reply.elapsedTime * 10) / 10
    logger.debug({ route: routeOf(request), status: reply.statusCode, ms }, 'answered')
  })

  await registerOpenapi(app, version, http.keys.length > 0)
  for (const plugin of plugins) await app.register(plugin)
  await app.ready()
  return app
}

function certificate(tls: { cert: string; key: string }, folder: string): { cert: Buffer; key: Buffer } {
  const read = (file: string) => {
    try {
      return readFileSync(resolve(folder, file))
    } catch (cause) {
      throw new MillraceError('CONFIG_INVALID', `http.tls: ${file}: ${(cause as Error).message}`, { cause })
    }
  }
  return { cert: read(tls.cert), key: read(tls.key) }
}

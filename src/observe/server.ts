/**
 * /livez, /readyz and /metrics on a port of their own. Nothing else is here, and nothing can be changed here; whoever may
 * connect may read, so it listens on the loopback address unless told otherwise.
 *
 * Without a port it takes the usual one, or any free one where that is taken: a second instance on one machine must not
 * fail for it. A port that was asked for is taken or refused.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { MillraceError } from '../domain/errors.js'
import { examine, type Health } from './health.js'
import type { Metrics } from './metrics.js'

const USUAL_PORT = 9464

export interface ObserveServer {
  /** http://host:port */
  readonly url: string
  close(): Promise<void>
}

export async function serveObserved(
  { host, port }: { host: string; port?: number | undefined },
  health: Health,
  metrics: Metrics,
): Promise<ObserveServer> {
  const server = createServer((request, response) => {
    answer(request, response, health, metrics).catch((error: unknown) => {
      if (!response.headersSent) send(response, 500, `${(error as Error).message}\n`)
    })
  })
  try {
    await listen(server, host, port ?? USUAL_PORT)
  } catch (error) {
    const isTaken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE'
    if (port === undefined && isTaken) await listen(server, host, 0)
    else throw new MillraceError('PORT_REFUSED', `${host}:${port}: ${(error as Error).message}`, { cause: error })
  }
  const { port: taken } = server.address() as AddressInfo
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${taken}`,
    async close() {
      const closed = new Promise(resolve => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
}

async function answer(request: IncomingMessage, response: ServerResponse, health: Health, metrics: Metrics) {
  const [pathname, query] = (request.url ?? '').split('?', 2)
  const isVerbose = new URLSearchParams(query).has('verbose')
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD')
    send(response, 405, 'GET or HEAD\n')
  } else if (pathname === '/metrics') {
    response.setHeader('content-type', metrics.contentType)
    send(response, 200, await metrics.text())
  } else if (pathname === '/livez' || pathname === '/readyz') {
    const { isOk, text } = await examine(pathname === '/livez' ? 'livez' : 'readyz', health, isVerbose)
    send(response, isOk ? 200 : 503, `${text}\n`)
  } else {
    send(response, 404, '/livez /readyz /metrics\n')
  }
}

/** Node leaves the body out of answers to HEAD. */
function send(response: ServerResponse, status: number, text: string): void {
  response.statusCode = status
  response.setHeader('cache-control', 'no-store')
  if (!response.hasHeader('content-type')) response.setHeader('content-type', 'text/plain; charset=utf-8')
  response.end(text)
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

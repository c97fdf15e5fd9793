/**
 * Who may call what. Without keys everybody on this machine may do everything, and then two things are refused that a
 * browser can be made to do by a page from elsewhere: requests that such a page sends (Sec-Fetch-Site), and requests to a
 * name of its own that it has made to mean this machine (DNS rebinding; the Host header gives it away).
 *
 * With keys every route needs the scope that it declares. Only hashes of keys are held; what is looked up is the hash of
 * what was sent, so the time it takes says nothing about a key.
 */
import { createHash } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import { SCOPES, type Scope } from '../../config/http-schema.js'
import { HttpProblem } from './problem.js'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** public: holds no data, needs no key. Absent: read for GET, admin for everything else. */
    scope?: Scope | 'public'
  }
}

/** host: what the server listens on. */
export function createGuard(keys: readonly string[], host: string): (request: FastifyRequest) => void {
  const scopes = new Map(keys.map(key => [key.slice(key.indexOf(':') + 1), key.slice(0, key.indexOf(':')) as Scope]))
  const names = new Set(['localhost', '127.0.0.1', '[::1]', host, `[${host}]`])

  function fromHere(request: FastifyRequest): void {
    const name = (request.headers.host ?? '').replace(/:\d+$/, '').toLowerCase()
    if (!names.has(name)) throw new HttpProblem(403, 'without API keys only names of this machine are answered')
    const site = request.headers['sec-fetch-site']
    if (site === 'cross-site' || site === 'same-site') throw new HttpProblem(403, 'a page from elsewhere may not ask')
  }

  return function guard(request) {
    const { config, url } = request.routeOptions
    // Nothing is there.
    if (url === undefined) return
    const isRead = request.method === 'GET' || request.method === 'HEAD'
    const needed = config.scope ?? (isRead ? 'read' : 'admin')
    if (needed === 'public') return
    if (scopes.size === 0) return fromHere(request)
    const token = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1]
    if (token === undefined) throw new HttpProblem(401, 'an API key is needed', CHALLENGE)
    const granted = scopes.get(createHash('sha256').update(token).digest('hex'))
    if (granted === undefined) throw new HttpProblem(401, 'the API key is not known', CHALLENGE)
    if (SCOPES.indexOf(granted) < SCOPES.indexOf(needed))
      throw new HttpProblem(403, `the API key may ${granted}, this needs ${needed}`)
  }
}

const CHALLENGE = { 'www-authenticate': 'Bearer realm="millrace"' }

/** Names a client for the rate limit, without keeping its key. */
export function clientOf(request: FastifyRequest): string {
  const { authorization } = request.headers
  return authorization === undefined ? request.ip : createHash('sha256').update(authorization).digest('base64')
}

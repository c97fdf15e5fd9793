/** The page at / and its files. They hold no data, so they need no key; what they may load is this server's and nothing else. */
import { dashboardAssets } from '../dashboard/assets.js'
import type { HttpPlugin } from './plugin.js'

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

export const dashboardRoutes: HttpPlugin = async app => {
  for (const [url, { type, body, etag }] of dashboardAssets()) {
    app.get(url, { schema: { hide: true }, config: { scope: 'public' } }, async (request, reply) => {
      reply.headers({ etag, 'cache-control': 'no-cache', 'content-security-policy': POLICY })
      if (request.headers['if-none-match'] === etag) return reply.code(304).send()
      return reply.type(type).send(body)
    })
  }
}

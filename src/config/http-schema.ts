/** `http`: the page and the API that people and applications use. */
import { z } from 'zod'
import { about } from './schema-kit.js'

/** What a key may do. Each includes the ones before it. */
export const SCOPES = ['read', 'write', 'admin'] as const
export type Scope = (typeof SCOPES)[number]

const key = z.string().regex(/^(read|write|admin):[0-9a-f]{64}$/, {
  error:
    'expected SCOPE:HASH, a scope (read, write or admin) and the SHA-256 of the key in hex: printf %s "$KEY" | sha256sum',
})

export const http = z.strictObject({
  enabled: about(
    z.boolean().default(true),
    'The dashboard and the HTTP API of `run` and `serve`. Replays and evaluations never have them.',
    { env: 'MILLRACE_HTTP_ENABLED' },
  ),
  host: about(
    z.string().min(1).default('127.0.0.1'),
    'Address to listen on. Any but the loopback address needs `keys`.',
    { env: 'MILLRACE_HTTP_HOST' },
  ),
  port: about(
    z.int().min(0).max(65_535).optional(),
    'Port to listen on; 0: any free one. Absent: 8470, or a free one where that is taken; the first line of the log says which.',
    { env: 'MILLRACE_HTTP_PORT' },
  ),
  keys: about(
    z.array(key).default([]),
    'API keys, each as `SCOPE:HASH`: read (dashboard, scores), write (also what adds to the log), admin (also what changes the instance), and the SHA-256 of the key in hex. Clients send the key itself as a bearer token. Empty: everybody on this machine may do everything.',
    { env: 'MILLRACE_HTTP_KEYS', secret: true },
  ),
  tls: about(
    z
      .strictObject({
        cert: about(z.string(), 'Certificate chain, PEM. Relative to the configuration file.'),
        key: about(z.string(), 'Its private key, PEM. Relative to the configuration file.'),
      })
      .optional(),
    'HTTPS instead of HTTP.',
  ),
  ingest: about(
    z.boolean().default(false),
    'Take events over HTTP (`POST /v1/events`), and the wish to erase a user (`DELETE /v1/users/:user`), into the log that `run --follow` reads. The log folder must have no other writer; one that is not there begins empty. With source.kafka they are produced to its topic.',
    { env: 'MILLRACE_HTTP_INGEST' },
  ),
  ingestTopics: about(
    z.record(z.string(), z.string()).optional(),
    'Topics of posted events by their type, such as `click: shop.clicks.v1`. Absent: all go to the one topic that source.kafka names.',
  ),
  maxBodyBytes: about(z.int().min(1024).default(1_048_576), 'A larger request body is refused.', { unit: 'bytes' }),
  rate: about(
    z.number().min(0).default(5000),
    'So many requests a second of one client (its key, or its address) are answered, with bursts of as many; 0 = no limit.',
    { unit: 'requests/s' },
  ),
})

/** Whether only this machine can connect to it. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)
}

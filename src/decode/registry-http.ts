/**
 * Requests to a schema registry (Confluent's REST API). What can not be told apart from an outage (no connection, no
 * answer in time, 5xx, 429, an answer that is not the API's) is tried again for as long as it takes, with growing waits:
 * losing records or stopping would be worse than waiting, and `state` says what is the matter. Every other answer goes
 * to the caller, save 401, which no waiting mends.
 *
 * close() ends what is under way: it rejects with an AbortError.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { MillraceError } from '../domain/errors.js'
import type { Clock } from '../std/clock.js'

export interface RegistryHttpOptions {
  /** May hold user name and password. */
  url: string
  /** Basic authentication. */
  username?: string | undefined
  password?: string | undefined
  clock: Clock
  /** For one try. */
  timeoutMs?: number
  /** Waits between two tries. */
  wait?: (ms: number, signal: AbortSignal) => Promise<unknown>
  /** Called at each change of `reachable`. */
  onState?: (state: RegistryState) => void
}

export interface RegistryState {
  reachable: boolean
  /** Of the last outage. */
  lastError: string | undefined
  /** Milliseconds since 1970: when `reachable` changed. */
  sinceMs: number
}

export interface RegistryReply {
  status: number
  /** The API's own error code; undefined if the answer has none. */
  errorCode: number | undefined
  body: Record<string, unknown>
}

const MAX_BODY_BYTES = 1 << 22
const TIMEOUT_MS = 10_000
const FIRST_WAIT_MS = 100
const MAX_WAIT_MS = 5_000
/** Answered by every registry, with little. */
const PROBE = '/config'
const MEDIA_TYPE = 'application/vnd.schemaregistry.v1+json'

export class RegistryHttp {
  readonly #options: RegistryHttpOptions
  readonly #url: string
  readonly #headers: Record<string, string>
  readonly #closing = new AbortController()
  #state: RegistryState

  constructor(options: RegistryHttpOptions) {
    this.#options = options
    const { url, username, password } = readUrl(options)
    this.#url = url
    this.#headers = { accept: `${MEDIA_TYPE}, application/json`, 'content-type': MEDIA_TYPE }
    if (username !== '') {
      this.#headers.authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
    }
    this.#state = { reachable: true, lastError: undefined, sinceMs: options.clock.nowMs() }
  }

  /** Without user name and password. */
  get url(): string {
    return this.#url
  }

  get state(): RegistryState {
    return this.#state
  }

  /** One cheap request: an outage shows in `state` even while nothing else is asked. */
  async probe(): Promise<void> {
    const reply = await this.#try('GET', PROBE, undefined)
    if (this.#closing.signal.aborted) return
    const isAnswer = typeof reply === 'object' && (reply.status < 300 || reply.errorCode !== undefined)
    if (isAnswer) this.#setState(true)
    else this.#setState(false, `GET ${this.#url}${PROBE}: ${replyText(reply)}`)
  }

  /** isAnswer: whether a 4xx is one of the API's, or something else that sits at this address for now. */
  async request(
    method: 'GET' | 'POST' | 'PUT',
    path: string,
    body?: object,
    isAnswer: (reply: RegistryReply) => boolean = () => true,
  ): Promise<RegistryReply> {
    const closing = this.#closing.signal
    for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(2 * waitMs, MAX_WAIT_MS)) {
      closing.throwIfAborted()
      const reply = await this.#try(method, path, body)
      if (typeof reply === 'object' && (reply.status < 300 || isAnswer(reply))) {
        this.#setState(true)
        if (reply.status === 401) throw this.refusal(reply, 'user name and password')
        return reply
      }
      closing.throwIfAborted()
      this.#setState(false, `${method} ${this.#url}${path}: ${replyText(reply)}`)
      await this.pause(waitMs)
    }
  }

  refusal(reply: RegistryReply, what: string): MillraceError {
    return new MillraceError('REGISTRY_FAILED', `${this.#url} refuses ${what}: ${answerText(reply)}`)
  }

  async pause(ms: number): Promise<void> {
    const { wait = sleepMs } = this.#options
    await wait(ms, this.#closing.signal)
  }

  close(): void {
    this.#closing.abort()
  }

  /** One try: what was answered, or why there is no answer. */
  async #try(method: string, path: string, body: object | undefined): Promise<RegistryReply | string> {
    const { timeoutMs = TIMEOUT_MS } = this.#options
    const signal = AbortSignal.any([this.#closing.signal, AbortSignal.timeout(timeoutMs)])
    try {
      const init: RequestInit = { method, headers: this.#headers, signal }
      if (body !== undefined) init.body = JSON.stringify(body)
      const response = await fetch(this.#url + path, init)
      const { status } = response
      const parsed = parseObject(await readText(response))
      if (status >= 500 || status === 429 || status === 408) return `${status} ${String(parsed?.message ?? '')}`.trim()
      if (parsed === undefined && status < 400) return `${status}, but not an answer of a schema registry`
      const errorCode = typeof parsed?.error_code === 'number' ? parsed.error_code : undefined
      return { status, errorCode, body: parsed ?? {} }
    } catch (error) {
      return networkText(error, timeoutMs)
    }
  }

  #setState(reachable: boolean, error?: string): void {
    const { clock, onState } = this.#options
    const { reachable: before, lastError, sinceMs } = this.#state
    const changed = reachable !== before
    this.#state = { reachable, lastError: error ?? lastError, sinceMs: changed ? clock.nowMs() : sinceMs }
    if (changed) onState?.(this.#state)
  }
}

const sleepMs = (ms: number, signal: AbortSignal) => sleep(ms, undefined, { signal })

function readUrl(options: RegistryHttpOptions): { url: string; username: string; password: string } {
  try {
    const { protocol, origin, pathname, username, password } = new URL(options.url)
    if (protocol !== 'http:' && protocol !== 'https:') throw new Error('not HTTP')
    return {
      url: origin + pathname.replace(/\/+$/, ''),
      username: options.username ?? decodeURIComponent(username),
      password: options.password ?? decodeURIComponent(password),
    }
  } catch {
    // Neither quoted nor given as the cause: it may hold a password.
    throw new MillraceError('CONFIG_INVALID', 'kafka.registry.url is not an http:// or https:// address')
  }
}

const replyText = (reply: RegistryReply | string) => (typeof reply === 'string' ? reply : answerText(reply))

function answerText({ status, errorCode, body }: RegistryReply): string {
  const message = typeof body.message === 'string' ? ` ${body.message}` : ''
  return errorCode === undefined ? `${status}, without an error code of a schema registry` : `${status}${message}`
}

function networkText(error: unknown, timeoutMs: number): string {
  const { name, message, cause } = error as Error & { cause?: Error & { code?: string } }
  if (name === 'TimeoutError') return `no answer within ${timeoutMs} ms`
  return cause === undefined ? message : (cause.code ?? cause.message)
}

async function readText(response: Response): Promise<string> {
  const parts: Uint8Array[] = []
  let bytes = 0
  for await (const part of response.body ?? []) {
    bytes += part.length
    if (bytes > MAX_BODY_BYTES) throw new Error(`an answer of more than ${MAX_BODY_BYTES} bytes`)
    parts.push(part)
  }
  return Buffer.concat(parts).toString()
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}

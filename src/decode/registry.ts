/**
 * The schema registry, reading side. A schema never changes under its id, so what was fetched once is kept for ever and
 * an outage is felt by unknown ids only: those wait. An id that the registry does not know is an answer too, remembered
 * for a short time: the producer may register it after all, but a flood of such messages must not be one of requests.
 */
import type { SchemaRef } from './framing.js'
import type { SchemaAnswer, SchemaLookup } from './message-decoder.js'
import { RegistryHttp, type RegistryHttpOptions, type RegistryReply, type RegistryState } from './registry-http.js'
import { inlineReferences } from './schema-references.js'

export interface RegistryOptions extends RegistryHttpOptions {
  /** How long an unknown id is not asked for again. */
  unknownMs?: number
  /** How long after an outage an unknown id is not believed. */
  settleMs?: number
}

const UNKNOWN_MS = 10_000
const MAX_UNKNOWN = 10_000
const MAX_REFERENCES = 100
const SETTLE_MS = 5_000
const SETTLE_POLL_MS = 500

export class SchemaRegistry implements SchemaLookup {
  /** For what is not a look-up by id. */
  readonly http: RegistryHttp
  readonly #options: RegistryOptions
  readonly #known = new Map<SchemaRef, SchemaAnswer>()
  readonly #unknown = new Map<SchemaRef, { answer: SchemaAnswer; untilMs: number }>()
  readonly #underWay = new Map<SchemaRef, Promise<SchemaAnswer>>()

  constructor(options: RegistryOptions) {
    this.#options = options
    this.http = new RegistryHttp(options)
  }

  /** For the health page. */
  get state(): RegistryState {
    return this.http.state
  }

  /** Waits while the registry is down. REGISTRY_FAILED if it refuses this client. */
  async schema(ref: SchemaRef): Promise<SchemaAnswer> {
    const known = this.#known.get(ref)
    if (known !== undefined) return known
    const unknown = this.#unknown.get(ref)
    if (unknown !== undefined && this.#options.clock.monotonicMs() < unknown.untilMs) return unknown.answer
    let answer = this.#underWay.get(ref)
    if (answer === undefined) {
      answer = this.#fetch(ref).finally(() => this.#underWay.delete(ref))
      this.#underWay.set(ref, answer)
    }
    return answer
  }

  close(): void {
    this.http.close()
  }

  async #fetch(ref: SchemaRef): Promise<SchemaAnswer> {
    const isId = typeof ref === 'number'
    // Registries without GUIDs answer with a bare 404. For an id that is not the registry speaking.
    const isAnswer = ({ status, errorCode }: RegistryReply) =>
      errorCode !== undefined || status === 401 || status === 403 || (!isId && status === 404)
    const path = `/schemas/${isId ? 'ids' : 'guids'}/${ref}`
    let reply = await this.http.request('GET', path, undefined, isAnswer)
    while (reply.status === 404 && this.#isSettling()) {
      await this.http.pause(SETTLE_POLL_MS)
      reply = await this.http.request('GET', path, undefined, isAnswer)
    }
    if (reply.status === 403) throw this.http.refusal(reply, `to give schema ${ref}`)
    const answer = await this.#read(ref, reply)
    if (answer.kind === 'known') {
      this.#known.set(ref, answer)
      this.#unknown.delete(ref)
    } else {
      for (const oldest of this.#unknown.keys()) {
        if (this.#unknown.size < MAX_UNKNOWN) break
        this.#unknown.delete(oldest)
      }
      const untilMs = this.#options.clock.monotonicMs() + (this.#options.unknownMs ?? UNKNOWN_MS)
      this.#unknown.set(ref, { answer, untilMs })
    }
    return answer
  }

  async #read(ref: SchemaRef, { status, body }: RegistryReply): Promise<SchemaAnswer> {
    const { schema, schemaType = 'AVRO' } = body
    if (status >= 300) return unknownAnswer(ref, `: ${status} ${String(body.message ?? 'not known to the registry')}`)
    if (schemaType !== 'AVRO' || typeof schema !== 'string') {
      return unknownAnswer(ref, ` is not an Avro schema but ${String(schemaType)}`)
    }
    const references = readReferences(body)
    if (references.length === 0) return { kind: 'known', schema }
    try {
      return { kind: 'known', schema: inlineReferences(schema, await this.#definitions(references)) }
    } catch (error) {
      if (!(error instanceof SyntaxError || error instanceof ReferenceFault)) throw error
      return unknownAnswer(ref, `: ${error.message}`)
    }
  }

  /** The schemas referred to, and those that they refer to. */
  async #definitions(references: readonly Reference[]): Promise<string[]> {
    const definitions = new Map<string, string>()
    const queue = [...references]
    for (const { subject, version } of queue) {
      const path = `/subjects/${encodeURIComponent(subject)}/versions/${encodeURIComponent(version)}`
      if (definitions.has(path)) continue
      const isAnswer = ({ status, errorCode }: RegistryReply) =>
        errorCode !== undefined || status === 401 || status === 403
      const { status, body } = await this.http.request('GET', path, undefined, isAnswer)
      if (typeof body.schema !== 'string') throw new ReferenceFault(`it refers to ${subject} ${version}: ${status}`)
      definitions.set(path, body.schema)
      queue.push(...readReferences(body))
      if (queue.length > MAX_REFERENCES) throw new ReferenceFault(`it refers to more than ${MAX_REFERENCES} others`)
    }
    return [...definitions.values()]
  }

  /** After an outage a registry may answer before it has read its store: a dead letter for that would be a loss. */
  #isSettling(): boolean {
    const { lastError, sinceMs } = this.state
    const { clock, settleMs = SETTLE_MS } = this.#options
    return lastError !== undefined && clock.nowMs() - sinceMs < settleMs
  }
}

/** What is wrong with the schemas that a schema refers to; the schema can not be had then. */
class ReferenceFault extends Error {}

interface Reference {
  subject: string
  version: number
}

function unknownAnswer(ref: SchemaRef, what: string): SchemaAnswer {
  return { kind: 'unknown', message: `schema ${ref}${what}` }
}

function readReferences({ references }: Record<string, unknown>): Reference[] {
  return Array.isArray(references) ? references.filter((one): one is Reference => typeof one?.subject === 'string') : []
}

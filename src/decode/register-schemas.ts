/**
 * Registers the schemas of our output topics: subject `<topic>-value` (TopicNameStrategy), once at start. A schema that
 * the subject has already is only looked up, so that a restart writes nothing and needs no right to. Else it must be
 * compatible with the newest version, and subjects of ours are BACKWARD where the registry would check nothing.
 */
import { MillraceError } from '../domain/errors.js'
import { readSchemaFile } from '../std/schema-file.js'
import type { RegistryHttp, RegistryReply } from './registry-http.js'

/** topics: topic → name in schemas/. Resolves to topic → schema id; waits while the registry is down. */
export async function registerOutputSchemas(
  http: RegistryHttp,
  topics: Readonly<Record<string, string>>,
): Promise<Map<string, number>> {
  const ids = new Map<string, number>()
  for (const [topic, name] of Object.entries(topics)) {
    ids.set(topic, await registerSchema(http, `${topic}-value`, JSON.stringify(readSchemaFile(name))))
  }
  return ids
}

export async function registerSchema(http: RegistryHttp, subject: string, schema: string): Promise<number> {
  const path = `/subjects/${encodeURIComponent(subject)}`
  const found = await http.request('POST', path, { schema })
  if (found.status < 300) return readId(subject, found)
  if (found.status !== 404 || found.errorCode === undefined) throw failed(http, subject, found)
  await demandCompatibility(http, subject)
  await checkCompatible(http, subject, schema)
  const registered = await http.request('POST', `${path}/versions`, { schema })
  if (registered.status >= 300) throw failed(http, subject, registered)
  return readId(subject, registered)
}

/** Whoever has set a level for the subject has decided; so has a registry that does not let us look. */
async function demandCompatibility(http: RegistryHttp, subject: string): Promise<void> {
  const path = `/config/${encodeURIComponent(subject)}`
  const own = await http.request('GET', path)
  if (own.status !== 404) return
  const general = await http.request('GET', '/config')
  if (general.body.compatibilityLevel !== 'NONE') return
  const set = await http.request('PUT', path, { compatibility: 'BACKWARD' })
  if (set.status >= 300 && set.status !== 403) throw failed(http, subject, set)
}

async function checkCompatible(http: RegistryHttp, subject: string, schema: string): Promise<void> {
  const path = `/compatibility/subjects/${encodeURIComponent(subject)}/versions/latest?verbose=true`
  const { status, errorCode, body } = await http.request('POST', path, { schema })
  // There is no version yet.
  if (status === 404 && errorCode !== undefined) return
  if (status >= 300) throw failed(http, subject, { status, errorCode, body })
  if (body.is_compatible === true) return
  const reasons = Array.isArray(body.messages) ? body.messages.join('; ') : ''
  const text = `subject ${subject}: our schema is not compatible with its newest version`
  throw new MillraceError('REGISTRY_FAILED', reasons === '' ? text : `${text}: ${reasons}`)
}

function readId(subject: string, { body }: RegistryReply): number {
  if (typeof body.id === 'number') return body.id
  throw new MillraceError('REGISTRY_FAILED', `subject ${subject}: the registry's answer has no schema id`)
}

function failed(http: RegistryHttp, subject: string, reply: RegistryReply): MillraceError {
  return http.refusal(reply, `subject ${subject}`)
}

/**
 * Pseudonyms of users: `~` and the first 128 bits of HMAC-SHA-256 (RFC 2104) of the id, base64url. Who has no key can
 * neither compute the pseudonym of an id that they guess nor go back; equal ids have equal pseudonyms, so events still join.
 * A pseudonym is its own: what was named once, such as an event posted over HTTP, is read again as it is.
 */
import { createHmac } from 'node:crypto'

const FORM = /^~[A-Za-z0-9_-]{22}$/
const BYTES = 16
/** Users come again and again; an HMAC takes microseconds. */
const MAX_KEPT = 65_536

const hmac = (key: string, text: string) => createHmac('sha256', key).update(text).digest().subarray(0, BYTES)

/** Without a key users keep their ids. */
export function createPseudonyms(key: string | undefined): (user: string) => string {
  if (key === undefined) return user => user
  const kept = new Map<string, string>()
  return function pseudonym(user) {
    const known = kept.get(user)
    if (known !== undefined) return known
    if (FORM.test(user)) return user
    const made = `~${hmac(key, user).toString('base64url')}`
    if (kept.size >= MAX_KEPT) kept.clear()
    kept.set(user, made)
    return made
  }
}

/** Tells keys apart without telling anything of them. */
export const pseudonymsName = (key: string): string => hmac(key, 'name of the pseudonyms of this key').toString('hex')

/** Under which keys the values of a user are kept: as the slots write them into the examples' columns. */
import type { Id } from '../../domain/event.js'
import { Hasher } from '../../std/hash.js'
import type { FeatureLayout } from '../layout.js'

interface UserKey {
  table: string
  lo: number
  hi: number
}

export interface UserKeys {
  /** Of the user's own rows, one a table. */
  own: UserKey[]
  /** Names the user beside the rows of crosses with a user; undefined: there are no such crosses. */
  owner: UserKey | undefined
}

export function keysOfUser({ slots }: FeatureLayout, user: Id): UserKeys {
  const hasher = new Hasher()
  hasher.text(user)
  const { lo, hi } = hasher
  const tables = slots.filter(slot => slot.ofUser === 'itself').map(slot => slot.table)
  const own = [...new Set(tables)].map(table => {
    hasher.text(table)
    hasher.mix(hasher.lo, hasher.hi, lo, hi)
    return { table, lo: hasher.lo, hi: hasher.hi }
  })
  // The first one's slot is the layout's userPlace.
  return { own, owner: slots.some(slot => slot.ofUser === 'crossed') ? own[0] : undefined }
}

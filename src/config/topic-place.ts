/** A place in the partitions that are read: where reading begins, or before which record it ends. */
export type TopicPlace = 'earliest' | 'latest' | { timeMs: number } | { offsets: ReadonlyMap<string, bigint> }

export const PLACE_FORM =
  'earliest, latest, an ISO time, or offsets such as shop.events.v1/0:1200,shop.events.v1/1:1310'

/** Undefined: the text names no place. */
export function parsePlace(text: string): TopicPlace | undefined {
  if (text === 'earliest' || text === 'latest') return text
  if (/^\d{4}-\d\d-\d\dT/.test(text)) {
    const timeMs = Date.parse(text)
    return Number.isNaN(timeMs) ? undefined : { timeMs }
  }
  const offsets = new Map<string, bigint>()
  for (const part of text.split(',')) {
    const found = /^\s*([A-Za-z0-9._-]+\/\d+):(\d+)\s*$/.exec(part)
    if (found === null) return undefined
    offsets.set(found[1] as string, BigInt(found[2] as string))
  }
  return { offsets }
}

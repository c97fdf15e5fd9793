/**
 * How many events a user or an item had had when an example arrived, in six bands. Figures by band say how cold ids
 * fare. A band fits into three bits of an example's flags.
 */
export const EXPERIENCE_BANDS = ['0', '1–2', '3–5', '6–10', '11–20', 'more than 20'] as const

/** Most events of each band but the last. */
const MOST = [0, 2, 5, 10, 20]

/** events: impressions and positives so far. 0 to 5. */
export function experienceBand(events: number): number {
  let band = 0
  while (band < MOST.length && events > (MOST[band] ?? 0)) band++
  return band
}

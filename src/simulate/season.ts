/**
 * When people shop: a day has a morning rise and an evening peak, a weekend is busier. `timeAt` turns a fraction of the
 * log's records into a time, so that equal numbers of records take less time when the shop is busy.
 */
const HOUR_MS = 3_600_000

/** Relative traffic of an hour since the start, which is midnight UTC of a Monday. */
function traffic(hour: number): number {
  const ofDay = hour % 24
  const day = Math.floor(hour / 24) % 7
  const night = 0.15 + Math.exp(-(((ofDay - 20) / 3.5) ** 2)) + 0.55 * Math.exp(-(((ofDay - 11) / 3) ** 2))
  return night * (day >= 5 ? 1.35 : 1)
}

export interface Season {
  /** 0..1 → milliseconds since the start; never decreasing. */
  timeAt(fraction: number): number
}

export function createSeason(durationMs: number): Season {
  const hours = Math.max(1, Math.ceil(durationMs / HOUR_MS))
  // [hours + 1] traffic up to the start of each hour
  const upTo = new Float64Array(hours + 1)
  for (let hour = 0; hour < hours; hour++) {
    const share = Math.min(1, durationMs / HOUR_MS - hour)
    upTo[hour + 1] = (upTo[hour] ?? 0) + traffic(hour) * share
  }
  const total = upTo[hours] ?? 1
  let hour = 0
  return {
    timeAt(fraction) {
      const wanted = Math.min(1, Math.max(0, fraction)) * total
      // Fractions come in rising order, so the search goes on from the last hour.
      if ((upTo[hour] ?? 0) > wanted) hour = 0
      while (hour < hours - 1 && (upTo[hour + 1] ?? total) <= wanted) hour++
      const from = upTo[hour] ?? 0
      const within = (wanted - from) / Math.max(1e-12, (upTo[hour + 1] ?? total) - from)
      return Math.min(durationMs, (hour + Math.min(1, within)) * HOUR_MS)
    },
  }
}

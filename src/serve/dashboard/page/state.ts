/** What the page knows: the status that the server told, and each change put into it. */
import type { Changes, Status } from '../../telemetry/status.js'

/** More points would lie on the same pixels. */
const MAX_POINTS = 600
const MAX_SNAPSHOTS = 32

export function changed<K extends keyof Changes>(
  status: Status | undefined,
  kind: K,
  data: Changes[K],
): Status | undefined {
  if (kind === 'status') return data as Status
  if (status === undefined) return undefined
  switch (kind) {
    case 'about':
      return { ...status, about: data as Changes['about'] }
    case 'now':
      return { ...status, now: data as Changes['now'] }
    case 'pace':
      return { ...status, pace: thinned([...status.pace, data as Changes['pace']]) }
    case 'window':
      return { ...status, windows: thinned([...status.windows, data as Changes['window']]) }
    case 'calibration':
      return { ...status, calibration: data as Changes['calibration'] }
    case 'alarm':
      return { ...status, alarms: [...status.alarms, data as Changes['alarm']] }
    case 'snapshot':
      return { ...status, snapshots: [...status.snapshots, data as Changes['snapshot']].slice(-MAX_SNAPSHOTS) }
    default:
      return status
  }
}

/** Without what was held back. */
export const publishedOf = (snapshots: Status['snapshots']) =>
  snapshots.filter(({ verdict }) => verdict === 'published')

function thinned<T>(points: T[]): T[] {
  return points.length < MAX_POINTS ? points : points.filter((_, index) => index % 2 === 1)
}

/** A shop's log that ends with score requests: what the learner answers there is what a follower of its last version must. */
import { itemId } from '../../src/simulate/catalogue.js'
import { userId } from '../../src/simulate/population.js'
import { simulateShop } from '../../src/simulate/simulate.js'
import { createLogWriter } from '../../src/sink/log-writer.js'
import { DAY_MS, type Workspace } from './workspace.js'

const SHOP = { seed: 4, events: 6_000, users: 300, items: 150, days: 10, partitions: 1, bots: 0, malformed: 0 }
const HOUR_MS = 3_600_000
export const CANDIDATES = [...[1, 2, 3, 50, 17].map(item => String(itemId(item))), 'never seen', String(itemId(3))]
export const CONTEXT = { device: 'phone' }

/** An answer of the learner; the requests of the log's end begin with `last`. */
export interface Recommendation {
  requestId: string
  eventTime: Date | number
  user: string
  modelVersion: number
  items: { item: string; rankScore: number; values: Record<string, number> }[]
}

export async function writeAskingShop(workspace: Workspace, events = SHOP.events): Promise<void> {
  const log = createLogWriter({ path: workspace.path('log'), partitions: 1 })
  const { endMs } = await simulateShop({ ...SHOP, events }, log)
  for (const [nth, user] of [userId(1), userId(2), userId(30), 'nobody'].entries()) {
    for (const kind of ['top', 'given']) {
      const candidates = kind === 'top' ? [] : CANDIDATES
      const requestId = `last-${kind}-${nth}`
      const eventTime = endMs + 2 * DAY_MS + nth * HOUR_MS
      log.write(0, 'score-request', { eventId: requestId, requestId, eventTime, user, candidates, context: CONTEXT })
    }
  }
  log.close()
}

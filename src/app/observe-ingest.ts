/** What became of posted events. A repetition is known only where the log is read: millrace_drops_total has it. */
import type { Ingest } from './ingest.js'
import type { Observation } from './observation.js'

export function observeIngest({ counts }: Pick<Ingest, 'counts'>, { metrics }: Observation): void {
  metrics.onScrape(() => {
    for (const [result, total] of Object.entries(counts))
      metrics.advance('millrace_posted_events_total', total, { result })
  })
}

/**
 * Erases a user, at the place of the event that asks for it: all that is kept of the user alone goes, in every part. What
 * had matured before is learned first, as it would have been; what still waits for labels is dropped without an example.
 * What others share stays as it was learned (docs/security.md). A later event of the user is that of a new one.
 *
 * The event's own time says nothing: an erasure is never late, never too early, and moves no clock.
 */
import type { Batcher } from '../batch/batcher.js'
import { type Erase, userOf } from '../domain/event.js'
import type { FeatureExtractor } from '../features/extract.js'
import type { DuplicateFilter } from '../join/duplicates.js'
import type { Joiner } from '../join/join.js'
import type { StreamClock } from '../join/watermark.js'
import type { Log } from '../observe/log.js'
import type { Recommender } from '../recommend/recommender.js'
import type { Source, SourceRecord } from '../source/source.js'
import { type Counts, increment } from './counts.js'
import type { Dispatcher } from './dispatch.js'

interface ErasureParts {
  source: Source
  clock: StreamClock<SourceRecord>
  duplicates: DuplicateFilter
  joiner: Joiner
  batcher: Batcher
  dispatcher: Dispatcher
  features: FeatureExtractor
  topN: { recommender: Recommender } | undefined
  counts: Counts
  logger: Log
}

export function eraseUser(parts: ErasureParts, record: SourceRecord, { eventId, user }: Erase): void {
  const { batcher, clock, counts, dispatcher, duplicates, features, joiner, logger, source, topN } = parts
  if (duplicates.isDuplicate('erase', eventId, clock.streamMs)) {
    increment(counts.drops, 'duplicate')
    return
  }
  const held = clock.forget(({ outcome }) => outcome.kind === 'ok' && userOf(outcome.value) === user)
  if (held > 0) increment(counts.drops, 'erased', held)
  const { impressions, positives } = joiner.erase(user)
  batcher.releaseHeld()
  dispatcher.flush('erase')
  const entities = features.erase(user)
  const pairs = topN?.recommender.erase(user) ?? 0
  const partition = source.partitions[record.partition] ?? ''
  const offset = String(record.offset)
  const { steps } = dispatcher
  dispatcher.erase(user, record, ({ rows, fast }) => {
    const removed = { held, impressions, positives, rows, fast, pairs, entities }
    logger.info({ code: 'USER_ERASED', partition, offset, step: steps + 1, removed }, 'a user was erased')
  })
}

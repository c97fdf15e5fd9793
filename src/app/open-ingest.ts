/** Joins what is posted with the log that is read; or says why that can not be. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { LoadedConfig } from '../config/load.js'
import type { Config } from '../config/schema.js'
import { MillraceError } from '../domain/errors.js'
import { EVENT_KINDS, type EventKind } from '../domain/event.js'
import { MESSAGE_LOG_FILE } from '../domain/message-log.js'
import type { Log } from '../observe/log.js'
import { topicMatcher } from '../source/kafka-topics.js'
import { openLogStore } from './event-store.js'
import type { Ingest } from './ingest.js'
import { openKafkaStore } from './kafka-event-store.js'

export async function openIngest(ingest: Ingest, loaded: LoadedConfig, log: string, logger: Log): Promise<void> {
  const { config } = loaded
  const reason = refusalOf(config, log)
  if (reason !== undefined) {
    ingest.refuse(reason)
    logger.warn({ reason }, 'http.ingest is on, but events are refused')
    return
  }
  const { kafka } = config.source
  ingest.begin(
    kafka === undefined
      ? await openLogStore(log)
      : await openKafkaStore(loaded, topicsOf(config, kafka.topics), logger),
  )
  logger.info({ log }, 'events are taken over HTTP: POST /v1/events')
}

function refusalOf({ source: { kafka, follow }, outputs, http }: Config, log: string): string | undefined {
  if (kafka === undefined) {
    if (!follow) return 'the log is read to its present end only: run --follow takes events'
    const isExport = existsSync(join(log, MESSAGE_LOG_FILE))
    return isExport ? 'the log is an export of topics, to which nothing is added' : undefined
  }
  if (outputs.kafka === undefined && !follow)
    return 'the topics are read to their present ends only: run --follow takes events'
  if (kafka.framing !== 'confluent')
    return `events go out in Confluent frames, and source.kafka.framing is ${kafka.framing}: produce them to the topic`
  if (http.ingestTopics !== undefined || topicMatcher(kafka.topics).names.length === 1) return undefined
  return 'source.kafka names no single topic: say in http.ingestTopics which type of event goes where'
}

function topicsOf({ http }: Config, read: readonly string[]): Partial<Record<EventKind, string>> {
  const [only = ''] = topicMatcher(read).names
  const topics = http.ingestTopics ?? Object.fromEntries(EVENT_KINDS.map(kind => [kind, only]))
  const unknown = Object.keys(topics).filter(kind => !(EVENT_KINDS as readonly string[]).includes(kind))
  if (unknown.length > 0)
    throw new MillraceError('CONFIG_INVALID', `http.ingestTopics: ${unknown.join(', ')} is no type of event`)
  const unread = Object.values(topics).filter(topic => !topicMatcher(read).matches(topic))
  if (unread.length > 0)
    throw new MillraceError('CONFIG_INVALID', `http.ingestTopics: source.kafka does not read ${unread.join(', ')}`)
  return topics
}

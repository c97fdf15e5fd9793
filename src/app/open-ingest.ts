/** Joins what is posted with the log that is read; or says why that can not be. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { LoadedConfig } from '../config/load.js'
import type { Config } from '../config/schema.js'
import { MESSAGE_LOG_FILE } from '../domain/message-log.js'
import type { Log } from '../observe/log.js'
import { openLogStore } from './event-store.js'
import type { Ingest } from './ingest.js'

export async function openIngest(ingest: Ingest, { config }: LoadedConfig, log: string, logger: Log): Promise<void> {
  const reason = refusalOf(config.source, log)
  if (reason === undefined) {
    ingest.begin(await openLogStore(log))
    logger.info({ log }, 'events are taken over HTTP: POST /v1/events')
  } else {
    ingest.refuse(reason)
    logger.warn({ reason }, 'http.ingest is on, but events are refused')
  }
}

function refusalOf({ kafka, follow }: Config['source'], log: string): string | undefined {
  if (kafka !== undefined) return 'events are read from Kafka: produce them to the topic'
  if (!follow) return 'the log is read to its present end only: run --follow takes events'
  const isExport = existsSync(join(log, MESSAGE_LOG_FILE))
  return isExport ? 'the log is an export of topics, to which nothing is added' : undefined
}

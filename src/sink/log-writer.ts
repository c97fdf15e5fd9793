/** Writes an event log for import and simulate; contract and guarantees in sink.ts. */
import { mkdirSync, readdirSync, rmdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { EVENT_KINDS } from '../domain/event.js'
import { idAwareType } from '../std/avro-long.js'
import { readSchemaFile } from '../std/schema-file.js'
import { type Codec, isSegmentFile, outputError } from './container.js'
import { LogPartition, partitionFolders } from './log-partition.js'
import type { LogWriter } from './sink.js'

export interface LogWriterOptions {
  /** Folder of the log. Segments of an earlier log in it are removed; other files are left alone. */
  path: string
  partitions: number
  codec?: Codec
  blockBytes?: number
  segmentBytes?: number
}

export function createLogWriter({ path, partitions: count, ...format }: LogWriterOptions): LogWriter {
  const schema = EVENT_KINDS.map(readSchemaFile)
  const types = schema.map(idAwareType)
  try {
    mkdirSync(path, { recursive: true })
    removeSegments(path)
  } catch (error) {
    throw outputError(path, error)
  }
  const partitions = partitionFolders(count).map(name => new LogPartition(path, name, { schema, ...format }))
  return {
    write(partition, kind, record) {
      const branch = EVENT_KINDS.indexOf(kind)
      const type = types[branch]
      const into = partitions[partition]
      if (type === undefined || into === undefined) throw new RangeError(`no partition ${partition} or kind ${kind}`)
      into.append(type, record, branch)
    },
    close() {
      for (const partition of partitions) partition.close()
      const sum = (count: (partition: LogPartition) => number) => partitions.reduce((all, one) => all + count(one), 0)
      return {
        records: partitions.map(({ records }) => records),
        bytes: sum(({ bytes }) => bytes),
        segments: sum(({ segments }) => segments),
      }
    },
  }
}

/** Removes the segments of an earlier log, and partition folders that are empty then. */
function removeSegments(path: string): void {
  for (const name of readdirSync(path)) {
    if (!/^p\d{2,}$/.test(name)) continue
    const folder = join(path, name)
    for (const file of readdirSync(folder)) if (isSegmentFile(file)) rmSync(join(folder, file))
    if (readdirSync(folder).length === 0) rmdirSync(folder)
  }
}

/** Our own reader types of the input events, found by the name of the writer's record. */
import type avro from 'avsc'
import { EVENT_KINDS, type EventKind } from '../domain/event.js'
import { idAwareType } from '../std/avro-long.js'
import { readSchemaFile } from '../std/schema-file.js'

export interface ReaderType {
  kind: EventKind
  type: avro.Type
}

let types: Map<string, ReaderType> | undefined

/** By record name; a producer's namespace is its own business. */
export function readerType(writerName: string): ReaderType | undefined {
  types ??= new Map(
    EVENT_KINDS.map(kind => {
      const type = idAwareType(readSchemaFile(kind))
      return [unqualified(type.name ?? ''), { kind, type }]
    }),
  )
  return types.get(unqualified(writerName))
}

/** As the files of schemas/ have them. */
export function readerSchemas(): unknown[] {
  return EVENT_KINDS.map(readSchemaFile)
}

function unqualified(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1)
}

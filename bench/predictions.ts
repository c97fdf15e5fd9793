/** What a run has predicted, as its output has it. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import avro from 'avsc'

export interface Said {
  eventId: string
  eventTime: unknown
  item: string
  /** By task. */
  values: Record<string, number>
}

/** folder: of the output. In the order of the answers. */
export async function* predictionsOf(folder: string): AsyncGenerator<Said> {
  const files = readdirSync(folder).filter(file => file.endsWith('.avro'))
  for (const file of files.sort()) {
    for await (const record of avro.createFileDecoder(join(folder, file))) yield record as Said
  }
}

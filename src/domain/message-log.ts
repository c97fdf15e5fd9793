/**
 * A message log: the messages of topics as Avro container files (schemas/message.avsc), a folder a partition, and beside
 * them the manifest that says which partition is which, and by which schemas the values were written. With it the log
 * means the same without the registry that it came from.
 */
import { MillraceError } from './errors.js'

export const MESSAGE_LOG_FILE = 'messages.json'

export interface MessageLogManifest {
  format: 1
  /** How Avro is wrapped: source.kafka.framing. */
  framing: 'confluent' | 'single-object' | 'bare'
  /** Framing bare or single-object: source.kafka.schema, as JSON text. */
  schema: string | null
  /** In the order of the partitions. Offsets as decimal text: the first, and the one behind the last. */
  partitions: { folder: string; topic: string; partition: number; from: string; until: string; messages: number }[]
  /** Framing confluent: what the registry knew, by id or GUID. */
  schemas: Record<string, string>
}

/** LOG_CORRUPT: the text is not that of a manifest. */
export function parseManifest(text: string, file: string): MessageLogManifest {
  try {
    const manifest = JSON.parse(text) as MessageLogManifest
    if (manifest.format === 1 && Array.isArray(manifest.partitions)) return manifest
    throw new Error(`its format is ${String(manifest.format)}, not 1`)
  } catch (cause) {
    throw new MillraceError(
      'LOG_CORRUPT',
      `${file} is not the manifest of a message log: ${(cause as Error).message}`,
      {
        cause,
      },
    )
  }
}

/** The schemas by what the framing calls them: numbers are a registry's ids. */
export function schemasOf({ schemas }: MessageLogManifest): Map<number | string, string> {
  return new Map(
    Object.entries(schemas).map(([ref, schema]) => [/^\d+$/.test(ref) ? Number(ref) : ref, schema] as const),
  )
}

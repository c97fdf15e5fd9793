/**
 * Records → values of Kafka messages in Confluent's frame: magic 0, schema id, Avro body. Records are encoded one behind
 * the other into slabs and the values are windows on them, so that nothing is encoded twice or copied. A value is never
 * written to again; it keeps its slab alive.
 */
import { MillraceError } from '../domain/errors.js'
import { idAwareType } from '../std/avro-long.js'
import { readSchemaFile } from '../std/schema-file.js'

const SLAB_BYTES = 65_536
const HEAD_BYTES = 5

/** schemaName: of schemas/. schemaId: as the registry gave it. */
export function createFramedEncoder(schemaName: string, schemaId: number): (record: unknown) => Buffer {
  const type = idAwareType(readSchemaFile(schemaName))
  let slab = Buffer.allocUnsafeSlow(SLAB_BYTES)
  let used = 0

  return function encode(record) {
    for (;;) {
      let end: number
      try {
        end = type.encode(record, slab, used + HEAD_BYTES)
      } catch (cause) {
        throw new MillraceError('INTERNAL', `schema ${schemaName}: ${(cause as Error).message}`, { cause })
      }
      if (end >= 0 && end <= slab.length) {
        slab[used] = 0
        slab.writeUInt32BE(schemaId, used + 1)
        const value = slab.subarray(used, end)
        used = end
        return value
      }
      // What does not fit is told by how many bytes; nothing of it counts as written.
      slab = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, slab.length - used - end))
      used = 0
    }
  }
}

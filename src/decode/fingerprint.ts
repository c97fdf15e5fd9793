/**
 * CRC-64-AVRO of a schema's Parsing Canonical Form, as the Avro specification defines both: what single-object encoding
 * names a schema by.
 */
import avro from 'avsc'

const EMPTY = 0xc15d213aa4d7a795n

const TABLE = Array.from({ length: 256 }, (_, index) => {
  let rest = BigInt(index)
  for (let bit = 0; bit < 8; bit++) rest = (rest >> 1n) ^ (rest & 1n ? EMPTY : 0n)
  return rest
})

/** The fingerprint's eight bytes as they are written (little-endian), in hexadecimal. */
export function schemaFingerprint(schema: unknown): string {
  // Without attributes, avsc gives a schema in canonical form: full names, no docs, defaults, aliases or logical types.
  const canonical = JSON.stringify(avro.Type.forSchema(schema as never).schema())
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(crc64Avro(Buffer.from(canonical)))
  return bytes.toString('hex')
}

function crc64Avro(bytes: Uint8Array): bigint {
  let crc = EMPTY
  for (const byte of bytes) crc = (crc >> 8n) ^ (TABLE[Number((crc ^ BigInt(byte)) & 0xffn)] ?? 0n)
  return crc
}

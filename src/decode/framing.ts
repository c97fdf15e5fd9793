/**
 * How the value of a Kafka message says by which schema it was written, and where its Avro body begins.
 *
 * confluent: magic byte 0 and a four-byte schema id, or magic 1 and the 16 bytes of a GUID, in front of the body; or
 * either of the two in the header `__value_schema_id`, and then the body is the whole value (the header wins, as in
 * Confluent's deserializers). single-object: C3 01 and eight bytes of fingerprint (Avro specification). bare: nothing.
 */
import type { WireHeaders } from '../source/source.js'

export type Framing = 'confluent' | 'single-object' | 'bare'

/** A registry's id (a number) or GUID, a fingerprint in hexadecimal, or '' where the framing names no schema. */
export type SchemaRef = number | string

const HEADER = '__value_schema_id'
const ID_BYTES = 5
const GUID_BYTES = 17
const FINGERPRINT_BYTES = 10
/** Registries count in signed integers. */
const MAX_ID = 0x7fffffff

/** Not a pure function, so that the hot path allocates nothing: `bodyStart` and `fault` describe the last value read. */
export class FrameReader {
  bodyStart = 0
  fault = ''
  readonly #framing: Framing

  constructor(framing: Framing) {
    this.#framing = framing
  }

  /** undefined: the value is not framed like this, and `fault` says what is wrong. */
  read(value: Buffer, headers?: WireHeaders): SchemaRef | undefined {
    this.bodyStart = 0
    if (this.#framing === 'bare') return ''
    if (this.#framing === 'single-object') return this.#readFingerprint(value)
    const header = headers?.[HEADER]
    if (header === undefined) return this.#readConfluent(value, 'the value')
    const ref = this.#readConfluent(headerBytes(header), `the header ${HEADER}`)
    this.bodyStart = 0
    return ref
  }

  #readConfluent(bytes: Buffer, where: string): SchemaRef | undefined {
    const magic = bytes[0]
    const size = magic === 0 ? ID_BYTES : GUID_BYTES
    if (magic !== 0 && magic !== 1) {
      return this.#fail(
        magic === undefined ? `${where} is empty` : `${where} begins with ${magic}, not with magic 0 or 1`,
      )
    }
    if (bytes.length < size) return this.#fail(`${where} has ${bytes.length} bytes, too few for a schema id`)
    this.bodyStart = size
    if (magic === 1) return guidText(bytes.subarray(1, GUID_BYTES))
    const id = bytes.readUInt32BE(1)
    return id <= MAX_ID ? id : this.#fail(`${where} holds schema id ${id}, which no registry gives`)
  }

  #readFingerprint(value: Buffer): SchemaRef | undefined {
    if (value.length < FINGERPRINT_BYTES || value[0] !== 0xc3 || value[1] !== 1) {
      return this.#fail('the value does not begin with C3 01 and a fingerprint')
    }
    this.bodyStart = FINGERPRINT_BYTES
    return value.toString('hex', 2, FINGERPRINT_BYTES)
  }

  #fail(fault: string): undefined {
    this.fault = fault
    return undefined
  }
}

/** A header may be repeated; the first one counts. */
function headerBytes(header: NonNullable<WireHeaders[string]>): Buffer {
  const first = typeof header === 'string' || header instanceof Uint8Array ? header : (header[0] ?? '')
  return typeof first === 'string'
    ? Buffer.from(first, 'latin1')
    : Buffer.from(first.buffer, first.byteOffset, first.length)
}

function guidText(bytes: Buffer): string {
  const hex = bytes.toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}

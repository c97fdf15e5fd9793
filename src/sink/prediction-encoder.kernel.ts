/**
 * A prediction → its framed value (magic 0, schema id, Avro body by schemas/prediction.avsc, or class-prediction.avsc where
 * tasks are categorical). There is one for every event, so it is written out here field by field instead of walked by avsc;
 * the bytes are the same (test/unit/sink/prediction-encoder.test.ts).
 */
import type { TaskClasses } from '../config/task-classes.js'
import type { Prediction } from '../domain/prediction.js'

/** Room for everything beside texts and values: frame, five lengths, three longs, a float, ends. */
const AROUND_BYTES = 96
/** UTF-8 bytes a UTF-16 unit, at most. */
const UNIT_BYTES = 3
/** Of a map: a count and an end. */
const AROUND_MAP_BYTES = 10
const HALF = 2 ** 28

export class PredictionEncoder {
  /** The last value is bytes[0..length); the next one takes its place. */
  bytes = Buffer.allocUnsafeSlow(1024)
  length = 0
  readonly #schemaId: number
  /** Per task: its name as Avro text. */
  readonly #names: readonly Buffer[]
  /** Per categorical task: its name, and those of its classes. */
  readonly #classes: readonly { name: Buffer; first: number; texts: readonly Buffer[] }[]
  readonly #mapBytes: number

  constructor(tasks: readonly string[], schemaId: number, classes: readonly TaskClasses[] = []) {
    this.#schemaId = schemaId
    this.#names = tasks.map(task => this.#encoded(task))
    this.#classes = classes.map(({ name, first, classes: texts }) => ({
      name: this.#encoded(name),
      first,
      texts: texts.map(text => this.#encoded(text)),
    }))
    const classBytes = this.#classes.map(({ name, texts }) => name.length + AROUND_MAP_BYTES + entryBytes(texts))
    this.#mapBytes = entryBytes(this.#names) + classBytes.reduce((sum, bytes) => sum + bytes, 0)
  }

  encode(prediction: Prediction): void {
    const { eventId, requestId, eventTimeMs, user, item, modelVersion, values, rankScore, classes } = prediction
    const units = eventId.length + (requestId?.length ?? 0) + user.length + item.length
    this.#reserve(AROUND_BYTES + this.#mapBytes + units * UNIT_BYTES)
    this.bytes[0] = 0
    this.bytes.writeUInt32BE(this.#schemaId, 1)
    this.length = 5
    this.#text(eventId)
    this.#byte(requestId === null ? 0 : 2)
    if (requestId !== null) this.#text(requestId)
    this.#long(eventTimeMs)
    this.#text(user)
    this.#text(item)
    this.#long(modelVersion)
    this.#map(this.#names, values, 0)
    this.#float(rankScore)
    if (this.#classes.length > 0) this.#classMaps(classes)
  }

  #classMaps(probabilities: Float32Array | undefined): void {
    this.#long(this.#classes.length)
    for (const { name, first, texts } of this.#classes) {
      this.#copy(name)
      this.#map(texts, probabilities, first)
    }
    this.#byte(0)
  }

  /** Names with the values from `at` on. */
  #map(names: readonly Buffer[], values: Float32Array | undefined, at: number): void {
    if (names.length > 0) this.#long(names.length)
    for (let i = 0; i < names.length; i++) {
      this.#copy(names[i]!)
      this.#float(values?.[at + i] ?? Number.NaN)
    }
    this.#byte(0)
  }

  #copy(name: Buffer): void {
    for (let i = 0; i < name.length; i++) this.bytes[this.length++] = name[i]!
  }

  #encoded(text: string): Buffer {
    this.#reserve(AROUND_BYTES + text.length * UNIT_BYTES)
    this.length = 0
    this.#text(text)
    return Buffer.from(this.bytes.subarray(0, this.length))
  }

  #text(text: string): void {
    const { length } = text
    const start = this.length
    this.#long(length)
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i)
      if (code > 127) {
        this.length = start
        this.#encodedText(text)
        return
      }
      this.bytes[this.length++] = code
    }
  }

  #encodedText(text: string): void {
    this.#long(Buffer.byteLength(text))
    this.length += this.bytes.write(text, this.length)
  }

  #float(value: number): void {
    this.bytes.writeFloatLE(value, this.length)
    this.length += 4
  }

  /** Of safe integers. */
  #long(value: number): void {
    let rest = value >= 0 ? value * 2 : -value * 2 - 1
    for (; rest >= HALF; rest = Math.floor(rest / 128)) this.#byte((rest % 128) | 128)
    let small = rest | 0
    for (; small > 127; small >>>= 7) this.#byte((small & 127) | 128)
    this.#byte(small)
  }

  #byte(byte: number): void {
    this.bytes[this.length++] = byte
  }

  #reserve(bytes: number): void {
    if (this.bytes.length < bytes) this.bytes = Buffer.allocUnsafeSlow(Math.max(bytes, this.bytes.length * 2))
  }
}

/** Names and their floats. */
function entryBytes(names: readonly Buffer[]): number {
  return names.reduce((sum, name) => sum + name.length + 4, 0)
}

/**
 * Whether the registry knows a schema depends on the moment: a producer may register late. So each record that was
 * rejected for that is handed out (and journalled) when it is decoded, before anything that depends on it; and a
 * repetition takes the recorded verdicts instead of asking again. Of records before `until` all verdicts are recorded: one
 * whose schema was known then and is not now can not be repeated, and that is an error.
 *
 * The merge looks ahead, so a verdict may be journalled some records before its record is taken: those belong to a
 * checkpoint (`ahead`).
 */
import { MillraceError } from '../domain/errors.js'
import type { DecodedMessage, MessageDecoder, UnknownSchema, WireHeaders } from './source.js'

/** When so many are kept, those that were taken meanwhile go. */
const KEPT = 1024

export interface JudgedPlace {
  name: string
  topic: string
  index: number
  /** Next offset to be taken. */
  nextOffset: bigint
}

export class SchemaVerdicts {
  readonly #decoder: MessageDecoder
  readonly #onUnknown: (unknown: UnknownSchema) => void
  readonly #followed = new Set<string>()
  #until: readonly bigint[] = []
  /** Verdicts on what lies behind the repetition; news only when that is over. */
  #held: UnknownSchema[] | undefined
  #ahead: { unknown: UnknownSchema; place: JudgedPlace }[] = []

  constructor(decoder: MessageDecoder, onUnknown: (unknown: UnknownSchema) => void) {
    this.#decoder = decoder
    this.#onUnknown = onUnknown
  }

  get decoder(): MessageDecoder {
    return this.#decoder
  }

  /** Verdicts of an earlier run; by partition, all are recorded of what lies before `until`. */
  follow(recorded: readonly UnknownSchema[], until: readonly bigint[]): void {
    for (const unknown of recorded) this.#followed.add(nameOf(unknown))
    this.#until = until
    this.#held = []
  }

  /** The repetition is over. */
  goLive(): void {
    const held = this.#held ?? []
    this.#held = undefined
    for (const unknown of held) this.#onUnknown(unknown)
  }

  decode(place: JudgedPlace, offset: bigint, value: Buffer | null, headers: WireHeaders): DecodedMessage {
    const unknown = { partition: place.index, offset }
    if (this.#followed.size > 0 && this.#followed.delete(nameOf(unknown))) {
      this.#keep(unknown, place)
      return this.#decoder.decode(value, headers, place.topic, true)
    }
    const decoded = this.#decoder.decode(value, headers, place.topic)
    if (decoded.unknown !== true) return decoded
    if (offset < (this.#until[place.index] ?? 0n)) {
      const message = `${place.name} at ${offset}: its schema was known when this record was learned and is not now, so that can not be repeated`
      throw new MillraceError('REGISTRY_FAILED', message)
    }
    this.#keep(unknown, place)
    if (this.#held === undefined) this.#onUnknown(unknown)
    else this.#held.push(unknown)
    return decoded
  }

  /** Judged and not taken. */
  ahead(): UnknownSchema[] {
    this.#ahead = this.#ahead.filter(({ unknown, place }) => unknown.offset >= place.nextOffset)
    return this.#ahead.map(({ unknown }) => unknown)
  }

  #keep(unknown: UnknownSchema, place: JudgedPlace): void {
    this.#ahead.push({ unknown, place })
    if (this.#ahead.length >= KEPT) this.ahead()
  }
}

const nameOf = ({ partition, offset }: UnknownSchema) => `${partition}:${offset}`

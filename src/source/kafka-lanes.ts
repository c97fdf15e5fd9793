/** The lanes of all partitions that are read, in the order of RecordPosition.partition. */
import type { Place } from './kafka-consumer.js'
import { KafkaLane, type LaneLimits } from './kafka-lane.js'
import type { SchemaVerdicts } from './kafka-verdicts.js'

const LEAST_BYTES = 1 << 18

export class KafkaLanes {
  readonly all: KafkaLane[] = []
  readonly #byName = new Map<string, KafkaLane>()
  readonly #verdicts: SchemaVerdicts
  /** Of one lane; shared by all. */
  readonly #limits: LaneLimits
  readonly #bytes: number

  /** messages: of a lane. bytes: of all lanes together, but not less than a little for each. */
  constructor(verdicts: SchemaVerdicts, { messages, bytes }: LaneLimits) {
    this.#verdicts = verdicts
    this.#limits = { messages, bytes }
    this.#bytes = bytes
  }

  /** A new one, behind the others, that begins with this offset. */
  add({ topic, partition }: Place, offset = 0n): KafkaLane {
    const lane = new KafkaLane({ topic, number: partition, index: this.all.length }, this.#verdicts, this.#limits)
    lane.start(offset)
    this.all.push(lane)
    this.#limits.bytes = Math.max(this.#bytes / this.all.length, LEAST_BYTES)
    this.#byName.set(lane.name, lane)
    return lane
  }

  at(place: Place): KafkaLane | undefined {
    return this.#byName.get(nameOf(place))
  }

  /** Of a finite reading: nothing is left, nothing will come. */
  get ended(): boolean {
    return this.all.every(lane => lane.ended && lane.length === 0)
  }

  /** Paused lanes that can take more; they count as resumed from here on. */
  takeDrained(): Place[] {
    const drained: Place[] = []
    for (const lane of this.all) {
      if (!lane.paused || !lane.hasRoom) continue
      lane.paused = false
      drained.push({ topic: lane.topic, partition: lane.number })
    }
    return drained
  }
}

const nameOf = ({ topic, partition }: Place): string => `${topic}/${partition}`

/** Known ones, then all others in the order given. */
export function orderNames(assigned: readonly Place[], known: readonly string[]): string[] {
  return [...known, ...assigned.map(nameOf).filter(name => !known.includes(name))]
}

export function byPlace(a: Place, b: Place): number {
  if (a.topic !== b.topic) return a.topic < b.topic ? -1 : 1
  return a.partition - b.partition
}

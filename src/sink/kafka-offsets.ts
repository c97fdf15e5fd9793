/**
 * The offsets that a group has committed, with a token beside each that says which commit it came from. Tokens are
 * numbered on, across instances, so that the highest one is that of the last commit.
 *
 * Partitions that are not Kafka's (a log folder is the source) have no offsets in a group: they, and the token of a commit
 * without any partition, lie as metadata of the journal's partition.
 */
import type { Offsets, SeekEntry } from 'kafkajs'
import type { ConsumedPartition } from './delivery.js'

/** The part of the admin client that is needed here. */
export interface OffsetReader {
  fetchOffsets(options: {
    groupId: string
  }): Promise<{ topic: string; partitions: (SeekEntry & { metadata: string | null })[] }[]>
}

export interface GroupOffsetsOptions {
  groupId: string
  /** Unlike any other instance's, also an earlier one's of this machine. */
  instance: string
  journalTopic: string
  withAdmin<T>(use: (admin: OffsetReader) => Promise<T>): Promise<T>
}

const TOKEN = /^millrace:(\d+):\S+/

export class GroupOffsets {
  readonly groupId: string
  /** Of the last commit that we know of; undefined: there was none. */
  lastToken: string | undefined
  readonly #options: GroupOffsetsOptions
  #number = 0

  constructor(options: GroupOffsetsOptions) {
    this.groupId = options.groupId
    this.#options = options
  }

  /** Next offsets by `topic/partition` (or the name of a log's partition), as last committed. */
  async read(): Promise<Map<string, bigint>> {
    const { withAdmin, journalTopic } = this.#options
    const topics = await withAdmin(admin => admin.fetchOffsets({ groupId: this.groupId }))
    const offsets = new Map<string, bigint>()
    this.lastToken = undefined
    let last = -1
    for (const { topic, partitions } of topics) {
      for (const { partition, offset, metadata } of partitions) {
        const token = TOKEN.exec(metadata ?? '')
        if (token !== null && Number(token[1]) > last) {
          last = Number(token[1])
          this.lastToken = token[0]
        }
        if (topic === journalTopic) for (const [name, next] of foreignOffsets(metadata)) offsets.set(name, next)
        else if (BigInt(offset) >= 0n) offsets.set(`${topic}/${partition}`, BigInt(offset))
      }
    }
    this.#number = Math.max(this.#number, last + 1)
    return offsets
  }

  nextToken(): string {
    return `millrace:${this.#number++}:${this.#options.instance}`
  }

  /** What a transaction sends to the group. */
  toCommit(offsets: readonly ConsumedPartition[], token: string): Offsets['topics'] {
    const topics = new Map<string, Offsets['topics'][number]>()
    const foreign: Record<string, string> = {}
    for (const { partition: name, next } of offsets) {
      const place = topicPartition(name)
      if (place === undefined) foreign[name] = String(next)
      else add(place.topic, { partition: place.partition, offset: String(next), metadata: token })
    }
    if (topics.size === 0) {
      add(this.#options.journalTopic, { partition: 0, offset: '0', metadata: `${token} ${JSON.stringify(foreign)}` })
    }
    return [...topics.values()]

    function add(topic: string, entry: { partition: number; offset: string; metadata: string }): void {
      const found = topics.get(topic) ?? { topic, partitions: [] }
      topics.set(topic, found)
      found.partitions.push(entry)
    }
  }
}

function topicPartition(name: string): { topic: string; partition: number } | undefined {
  const found = /^(.+)\/(\d+)$/.exec(name)
  return found === null ? undefined : { topic: found[1] ?? '', partition: Number(found[2]) }
}

function foreignOffsets(metadata: string | null): [string, bigint][] {
  const json = metadata?.slice(metadata.indexOf(' ') + 1)
  if (json === undefined || !json.startsWith('{')) return []
  return Object.entries(JSON.parse(json) as Record<string, string>).map(([name, next]) => [name, BigInt(next)])
}

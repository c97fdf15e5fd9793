/**
 * The true probabilities of each well-formed impression, as an Avro file beside the log's partitions: `truth.avro`. A
 * source never reads it; a report that knows of it can say how far a learner is from an oracle.
 * The container's sync marker is fixed: the same rows make the same bytes.
 */
import { createReadStream, createWriteStream } from 'node:fs'
import { pipeline } from 'node:stream'
import { finished } from 'node:stream/promises'
import avro from 'avsc'

export const TRUTH_FILE = 'truth.avro'

export interface TruthRow {
  /** Of the impression. */
  eventId: string
  /** True probability that the impression is clicked. */
  click: number
  /** True probability that it is clicked and bought within 7 days. */
  buy: number
}

export interface TruthWriter {
  /** Resolves, if it returns a promise, when more may come. */
  append(row: TruthRow): void | Promise<void>
  close(): Promise<void>
}

const truthType = avro.Type.forSchema({
  type: 'record',
  name: 'Truth',
  namespace: 'millrace',
  doc: 'What the simulator knew about one impression.',
  fields: [
    { name: 'eventId', type: 'string', doc: 'Event id of the impression.' },
    { name: 'click', type: 'double', doc: 'True probability of a click.' },
    { name: 'buy', type: 'double', doc: 'True probability of a click and a buy within 7 days of the impression.' },
  ],
})

const SYNC_MARKER = Buffer.from('millrace-truth-1')

export function createTruthWriter(file: string): TruthWriter {
  const encoder = new avro.streams.BlockEncoder(truthType, {
    codec: 'null',
    blockSize: 65_536,
    syncMarker: SYNC_MARKER,
  } as ConstructorParameters<typeof avro.streams.BlockEncoder>[1])
  const out = createWriteStream(file)
  encoder.pipe(out)
  const done = finished(out)
  // A failure is reported by close(); without this it would also be an unhandled rejection before then.
  done.catch(() => {})
  return {
    append(row) {
      if (encoder.write(row)) return
      return Promise.race([new Promise<void>(resolve => encoder.once('drain', resolve)), done])
    },
    async close() {
      encoder.end()
      await done
    },
  }
}

export async function* readTruth(file: string): AsyncGenerator<TruthRow> {
  const decoder = new avro.streams.BlockDecoder()
  // pipeline, not pipe: a file that is not there must end the loop below with its error.
  pipeline(createReadStream(file), decoder, () => {})
  for await (const row of decoder) yield row as TruthRow
}

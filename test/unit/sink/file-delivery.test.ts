import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { AvroFileSink } from '../../../src/sink/avro-file.js'
import { OUTPUT_NAMES, type Outputs } from '../../../src/sink/delivery.js'
import { createDiscardSink } from '../../../src/sink/discard.js'
import { createFileDelivery } from '../../../src/sink/file-delivery.js'
import { journalRecord } from '../../../src/sink/output-records.js'
import type { Sink } from '../../../src/sink/sink.js'
import { deliveryContract } from '../../contract/delivery.js'

const folders: string[] = []
after(async () => {
  for (const folder of folders) await rm(folder, { recursive: true })
})

const discarded = (): Outputs => ({
  journal: createDiscardSink(),
  predictions: createDiscardSink(),
  recommendations: createDiscardSink(),
  metrics: createDiscardSink(),
  snapshots: createDiscardSink(),
  deadLetters: createDiscardSink(),
})

deliveryContract('files', false, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-delivery-'))
  folders.push(folder)
  return {
    partition: 'partition-0',
    keepsOffsets: false,
    async open() {
      const journal = new AvroFileSink({ path: folder, schema: 'journal', toRecord: journalRecord, blockRecords: 1 })
      return createFileDelivery({ ...discarded(), journal }, folder)
    },
  }
})

test('files: the journal is durable before what it explains, and all are closed even if one fails', async () => {
  const calls: string[] = []
  const recorder = <T>(name: string, fails: boolean): Sink<T> => ({
    ...createDiscardSink<T>(),
    async flush() {
      calls.push(`flush ${name}`)
    },
    async close() {
      calls.push(`close ${name}`)
      if (fails) throw new Error(`${name} can not be closed`)
    },
  })
  const outputs: Outputs = {
    deadLetters: recorder('deadLetters', false),
    journal: recorder('journal', false),
    predictions: recorder('predictions', true),
    recommendations: recorder('recommendations', true),
    metrics: recorder('metrics', false),
    snapshots: recorder('snapshots', false),
  }
  const delivery = createFileDelivery(outputs, undefined)
  await delivery.commit([])
  await assert.rejects(delivery.close(), /predictions can not be closed/)
  assert.deepEqual(calls, [...OUTPUT_NAMES.map(name => `flush ${name}`), ...OUTPUT_NAMES.map(name => `close ${name}`)])
})

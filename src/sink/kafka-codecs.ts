/**
 * Compression of message batches, for the client as a whole: writing as configured, reading whatever a topic holds.
 * LZ4 is not there: its only package for this client reads four times slower than none.
 */
import { Decoder, Encoder } from '@toondepauw/node-zstd'
import kafkajs from 'kafkajs'
import { compressSync, uncompressSync } from 'snappy'

// A CommonJS module whose names Node can not see from outside.
const { CompressionCodecs, CompressionTypes } = kafkajs

export const COMPRESSION = {
  none: CompressionTypes.None,
  gzip: CompressionTypes.GZIP,
  snappy: CompressionTypes.Snappy,
  zstd: CompressionTypes.ZSTD,
}

/** Java's snappy stream: a header, then blocks with their length in front. Others write a bare block. */
const XERIAL = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0])
const XERIAL_HEADER_BYTES = 16
const ZSTD_LEVEL = 3

/** May be called any number of times. */
export function registerCodecs(): void {
  CompressionCodecs[CompressionTypes.Snappy] = () => ({
    compress: async ({ buffer }: { buffer: Buffer }) => compressSync(buffer),
    decompress: async (bytes: Buffer) => decompressSnappy(bytes),
  })
  const encoder = new Encoder(ZSTD_LEVEL)
  const decoder = new Decoder()
  CompressionCodecs[CompressionTypes.ZSTD] = () => ({
    compress: async ({ buffer }: { buffer: Buffer }) => encoder.encode(buffer),
    decompress: async (bytes: Buffer) => decoder.decode(bytes),
  })
}

function decompressSnappy(bytes: Buffer): Buffer {
  if (!bytes.subarray(0, XERIAL.length).equals(XERIAL)) return uncompressSync(bytes) as Buffer
  const blocks: Buffer[] = []
  for (let at = XERIAL_HEADER_BYTES; at < bytes.length; ) {
    const length = bytes.readUInt32BE(at)
    blocks.push(uncompressSync(bytes.subarray(at + 4, at + 4 + length)) as Buffer)
    at += 4 + length
  }
  return Buffer.concat(blocks)
}

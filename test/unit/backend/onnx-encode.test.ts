import assert from 'node:assert/strict'
import test from 'node:test'
import protobuf from 'protobufjs/minimal.js'
import { encodeOnnx } from '../../../src/backend/onnx-encode.js'
import { GraphBuilder } from '../../../src/graph/graph.js'

/** The op types of the model, read back by field number: ModelProto.graph = 7, GraphProto.node = 1, op_type = 4. */
function opTypes(model: Uint8Array): string[] {
  const fields = (bytes: Uint8Array, wanted: number): Uint8Array[] => {
    const reader = protobuf.Reader.create(bytes)
    const found: Uint8Array[] = []
    while (reader.pos < reader.len) {
      const tag = reader.uint32()
      if (tag === ((wanted << 3) | 2)) found.push(reader.bytes())
      else reader.skipType(tag & 7)
    }
    return found
  }
  return fields(fields(model, 7)[0]!, 1).map(node => new TextDecoder().decode(fields(node, 4)[0]))
}

test('the same graph is encoded as the same bytes', () => {
  const build = () => {
    const g = new GraphBuilder()
    const x = g.input('x', ['B', 3])
    g.output('y', g.softmax(g.matMul(x, g.state('w', [3, 2]))))
    return encodeOnnx(g.build())
  }
  assert.deepEqual(build(), build())
})

test('a comparison is cast to a number only where a number is wanted', () => {
  const g = new GraphBuilder()
  const x = g.input('x', ['B'])
  g.output('y', g.where(g.greater(x, 0), x, g.neg(x)))
  assert.deepEqual(opTypes(encodeOnnx(g.build())), ['Greater', 'Neg', 'Where'])
  g.output('z', g.greater(x, 0))
  assert.deepEqual(opTypes(encodeOnnx(g.build())), ['Greater', 'Neg', 'Where', 'Cast', 'Identity'])
})

test('a transposed product is one op', () => {
  const g = new GraphBuilder()
  const x = g.input('x', ['B', 3])
  g.output('y', g.matMul(x, g.transpose(g.state('w', [2, 3]), [1, 0])))
  assert.deepEqual(opTypes(encodeOnnx(g.build())), ['FusedMatMul'])
})

/**
 * The part of ONNX's protobuf schema (onnx.proto3, IR version 8) that step graphs need, written field by field.
 * Values are named by strings; a model is a list of nodes over values, with typed inputs and outputs.
 */
import protobuf from 'protobufjs/minimal.js'
import type { Shape } from '../graph/graph.js'

/** A plain number is an integer. */
export type OnnxAttribute = number | { float: number } | readonly number[]

export interface OnnxNode {
  type: string
  inputs: readonly string[]
  outputs: readonly string[]
  /** '' is the standard domain. */
  domain: string
  attributes: Record<string, OnnxAttribute>
}

export interface OnnxInitializer {
  name: string
  dims: readonly number[]
  /** float32, or int64 for shapes and axes. */
  data: Float32Array | BigInt64Array
}

export interface OnnxValue {
  name: string
  shape: Shape
}

export interface OnnxModel {
  nodes: readonly OnnxNode[]
  initializers: readonly OnnxInitializer[]
  inputs: readonly OnnxValue[]
  outputs: readonly OnnxValue[]
}

type Writer = protobuf.Writer

/** Wire types of protobuf tags. */
const VARINT = 0
const BYTES = 2
const FIXED32 = 5
const tag = (field: number, wire: number): number => (field << 3) | wire

const IR_VERSION = 8
const OPSETS: readonly [domain: string, version: number][] = [
  ['', 17],
  ['com.microsoft', 1],
]
/** TensorProto.DataType */
const FLOAT = 1
const INT64 = 7
/** AttributeProto.AttributeType */
const ATTRIBUTE_FLOAT = 1
const ATTRIBUTE_INT = 2
const ATTRIBUTE_INTS = 7

export function encodeModel(model: OnnxModel): Uint8Array {
  const writer = protobuf.Writer.create()
  writer.uint32(tag(1, VARINT)).int64(IR_VERSION)
  writer.uint32(tag(2, BYTES)).string('millrace')
  message(writer, 7, graph => writeGraph(graph, model))
  for (const [domain, version] of OPSETS) {
    message(writer, 8, opset => {
      opset.uint32(tag(1, BYTES)).string(domain)
      opset.uint32(tag(2, VARINT)).int64(version)
    })
  }
  return writer.finish()
}

function message(writer: Writer, field: number, write: (writer: Writer) => void): void {
  writer.uint32(tag(field, BYTES)).fork()
  write(writer)
  writer.ldelim()
}

function writeGraph(writer: Writer, model: OnnxModel): void {
  for (const node of model.nodes) message(writer, 1, w => writeNode(w, node))
  writer.uint32(tag(2, BYTES)).string('step')
  for (const initializer of model.initializers) message(writer, 5, w => writeTensor(w, initializer))
  for (const input of model.inputs) message(writer, 11, w => writeValue(w, input))
  for (const output of model.outputs) message(writer, 12, w => writeValue(w, output))
}

function writeNode(writer: Writer, node: OnnxNode): void {
  for (const input of node.inputs) writer.uint32(tag(1, BYTES)).string(input)
  for (const output of node.outputs) writer.uint32(tag(2, BYTES)).string(output)
  writer.uint32(tag(4, BYTES)).string(node.type)
  for (const [name, value] of Object.entries(node.attributes)) {
    message(writer, 5, w => {
      w.uint32(tag(1, BYTES)).string(name)
      writeAttributeValue(w, value)
    })
  }
  if (node.domain !== '') writer.uint32(tag(7, BYTES)).string(node.domain)
}

function writeAttributeValue(writer: Writer, value: OnnxAttribute): void {
  if (typeof value === 'number') {
    writer.uint32(tag(3, VARINT)).int64(value)
    writer.uint32(tag(20, VARINT)).int32(ATTRIBUTE_INT)
  } else if ('float' in value) {
    writer.uint32(tag(2, FIXED32)).float(value.float)
    writer.uint32(tag(20, VARINT)).int32(ATTRIBUTE_FLOAT)
  } else {
    for (const element of value) writer.uint32(tag(8, VARINT)).int64(element)
    writer.uint32(tag(20, VARINT)).int32(ATTRIBUTE_INTS)
  }
}

function writeTensor(writer: Writer, { name, dims, data }: OnnxInitializer): void {
  for (const dim of dims) writer.uint32(tag(1, VARINT)).int64(dim)
  writer.uint32(tag(2, VARINT)).int32(data instanceof Float32Array ? FLOAT : INT64)
  writer.uint32(tag(8, BYTES)).string(name)
  // raw_data is little-endian, as every platform of onnxruntime-node is.
  writer.uint32(tag(9, BYTES)).bytes(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
}

function writeValue(writer: Writer, { name, shape }: OnnxValue): void {
  writer.uint32(tag(1, BYTES)).string(name)
  message(writer, 2, type => {
    message(type, 1, tensor => {
      tensor.uint32(tag(1, VARINT)).int32(FLOAT)
      message(tensor, 2, dims => {
        for (const dim of shape) {
          message(dims, 1, w => {
            if (dim === 'B') w.uint32(tag(2, BYTES)).string(dim)
            else w.uint32(tag(1, VARINT)).int64(dim)
          })
        }
      })
    })
  })
}

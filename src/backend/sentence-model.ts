/**
 * A sentence model of a local folder in onnxruntime-node: texts → vectors of length 1. The folder has model.onnx (or
 * onnx/model.onnx) and tokenizer.json, as sentence-transformers exports them; nothing is ever downloaded.
 *
 * Inputs by name: input_ids, attention_mask and, if the model has it, token_type_ids, int64 [batch, tokens]. Output
 * sentence_embedding [batch, size] as it is, or else the mean over the tokens of the first [batch, tokens, size] one
 * (Reimers and Gurevych 2019). Texts of more tokens than the tokenizer says (or 512) are cut at the end.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Tokenizer } from '@huggingface/tokenizers'
import type { InferenceSession, Tensor } from 'onnxruntime-node'
import { MillraceError } from '../domain/errors.js'

const DEFAULT_TOKENS = 512
const INPUTS: ReadonlySet<string> = new Set(['input_ids', 'attention_mask', 'token_type_ids'])

export interface SentenceModel {
  /** Tokens of a text that are read at most, special ones included. */
  readonly maxTokens: number
  /** Tokens that the model reads of a text, and whether that is all of it. */
  tokens(text: string): { ids: number[]; cut: boolean }
  /** [texts] vectors of length 1; one run for all of them, so give it few texts of like length. */
  embed(tokens: readonly (readonly number[])[]): Promise<Float32Array[]>
  close(): Promise<void>
}

/** USAGE: the folder lacks a file, or what is in it is no such model. */
export async function openSentenceModel(folder: string, threads: number): Promise<SentenceModel> {
  const file = ['model.onnx', 'onnx/model.onnx'].map(name => join(folder, name)).find(existsSync)
  if (file === undefined) throw unusable(folder, 'has no model.onnx')
  const { tokenizer, limit } = readTokenizer(folder)
  checkPooling(folder)
  const ort = await import('onnxruntime-node')
  const session = await ort.InferenceSession.create(file, {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    graphOptimizationLevel: 'all',
    logSeverityLevel: 3,
  }).catch(cause => {
    throw unusable(folder, `has a model that can not be used: ${String(cause)}`, cause)
  })
  const strange = session.inputNames.find(name => !INPUTS.has(name))
  if (strange !== undefined) throw unusable(folder, `has a model that wants '${strange}', which a text does not give`)
  const padding = tokenizer.token_to_id('[PAD]') ?? tokenizer.token_to_id('<pad>') ?? 0
  const empty = tokenizer.encode('').ids

  function tokens(text: string): { ids: number[]; cut: boolean } {
    const { ids } = tokenizer.encode(text)
    if (ids.length <= limit) return { ids, cut: false }
    // What closes every text stays: [SEP] or </s>.
    const closing = empty.length > 1 && empty.at(-1) === ids.at(-1) ? ids.slice(-1) : []
    return { ids: [...ids.slice(0, limit - closing.length), ...closing], cut: true }
  }

  async function embed(texts: readonly (readonly number[])[]): Promise<Float32Array[]> {
    const width = Math.max(1, ...texts.map(ids => ids.length))
    const dims = [texts.length, width]
    const ids = new BigInt64Array(texts.length * width).fill(BigInt(padding))
    const mask = new BigInt64Array(texts.length * width)
    for (const [row, text] of texts.entries()) {
      for (const [place, id] of text.entries()) {
        ids[row * width + place] = BigInt(id)
        mask[row * width + place] = 1n
      }
    }
    const feeds: Record<string, Tensor> = {}
    for (const name of session.inputNames) {
      const data = name === 'input_ids' ? ids : name === 'attention_mask' ? mask : new BigInt64Array(ids.length)
      feeds[name] = new ort.Tensor('int64', data, dims)
    }
    const output = chooseOutput(folder, await session.run(feeds))
    return texts.map((text, row) =>
      unit(output.dims.length === 2 ? rowOf(output, row) : mean(output, row, text.length)),
    )
  }

  return { maxTokens: limit, tokens, embed, close: () => session.release() }
}

function readTokenizer(folder: string): { tokenizer: Tokenizer; limit: number } {
  const file = join(folder, 'tokenizer.json')
  if (!existsSync(file)) throw unusable(folder, 'has no tokenizer.json')
  const configFile = join(folder, 'tokenizer_config.json')
  try {
    const content = JSON.parse(readFileSync(file, 'utf8')) as { truncation?: { max_length?: number } | null }
    const config = existsSync(configFile) ? JSON.parse(readFileSync(configFile, 'utf8')) : {}
    const limit = content.truncation?.max_length ?? Math.min(DEFAULT_TOKENS, config.model_max_length ?? DEFAULT_TOKENS)
    return { tokenizer: new Tokenizer(content, config), limit }
  } catch (cause) {
    throw unusable(folder, `has a tokenizer that can not be used: ${String(cause)}`, cause)
  }
}

/** sentence-transformers says in a file of its own how tokens are pooled. */
function checkPooling(folder: string): void {
  const file = join(folder, '1_Pooling', 'config.json')
  if (!existsSync(file)) return
  const pooling = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>
  if (pooling.pooling_mode_mean_tokens === false)
    throw unusable(folder, 'is of a model that does not pool its tokens by their mean')
}

function chooseOutput(folder: string, outputs: InferenceSession.OnnxValueMapType): Tensor {
  const all = Object.values(outputs) as Tensor[]
  const output = (outputs.sentence_embedding as Tensor | undefined) ?? all.find(({ dims }) => dims.length === 3)
  if (output?.type !== 'float32')
    throw unusable(folder, 'has a model without an output [batch, tokens, size] of float32')
  return output
}

function rowOf({ data, dims }: Tensor, row: number): Float32Array {
  const size = dims[1] ?? 0
  return (data as Float32Array).slice(row * size, (row + 1) * size)
}

/** Over the first so many tokens of a row; the rest is padding. */
function mean({ data, dims }: Tensor, row: number, tokens: number): Float32Array {
  const [, width = 0, size = 0] = dims
  const sum = new Float64Array(size)
  const from = row * width * size
  for (let token = 0; token < tokens; token++) {
    for (let at = 0; at < size; at++) sum[at] = (sum[at] ?? 0) + Number(data[from + token * size + at])
  }
  return Float32Array.from(sum, one => one / Math.max(1, tokens))
}

function unit(vector: Float32Array): Float32Array {
  const length = Math.hypot(...vector)
  return length > 0 ? vector.map(one => one / length) : vector
}

function unusable(folder: string, message: string, cause?: unknown): MillraceError {
  return new MillraceError('USAGE', `--model: ${folder} ${message}`, { cause })
}

/**
 * A file with one JSON object a line, gzip or not, as a stream: memory depends on the longest line, not on the file. A
 * line that is no object goes to `onBadLine`, which throws or lets reading go on.
 */
import { pipeline } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import { MillraceError } from '../domain/errors.js'
import { invalidLine, openTextFile } from './text-file.js'

export interface JsonLine {
  /** The first is 1. */
  line: number
  value: Record<string, unknown>
}

export interface JsonLinesReading {
  /** May throw; otherwise the line is left out. */
  onBadLine(line: number, message: string): void
  /** 0..1 of the file's bytes. */
  onShare?(share: number): void
}

/** Characters; more than this is no profile of an item. */
const MAX_LINE = 1 << 24

export async function* readJsonLines(file: string, reading: JsonLinesReading): AsyncGenerator<JsonLine> {
  const { stages, share, close } = openTextFile(file)
  const last = stages.at(-1) ?? stages[0]
  // Errors of any stage end the last one, and so the loop below, with that error.
  if (stages.length > 1) pipeline(stages, () => {})
  const decoder = new StringDecoder('utf8')
  let line = 0
  let rest = ''
  try {
    for await (const chunk of last) {
      const lines = (rest + decoder.write(chunk as Buffer)).split('\n')
      rest = lines.pop() ?? ''
      if (rest.length > MAX_LINE) throw invalidLine(file, line + lines.length + 1, `longer than ${MAX_LINE} characters`)
      for (const text of lines) {
        const value = parsed(text, ++line)
        if (value !== undefined) yield { line, value }
      }
      reading.onShare?.(share())
    }
    const value = parsed(rest + decoder.end(), ++line)
    if (value !== undefined) yield { line, value }
  } catch (cause) {
    if (cause instanceof MillraceError) throw cause
    throw invalidLine(file, line + 1, (cause as Error).message, cause)
  } finally {
    close()
  }

  function parsed(text: string, at: number): Record<string, unknown> | undefined {
    const trimmed = (at === 1 ? text.replace(/^\uFEFF/, '') : text).trim()
    if (trimmed === '') return undefined
    if (at === 1 && trimmed.startsWith('['))
      throw invalidLine(file, at, "expected an object a line, found a list; jq -c '.[]' makes lines of its members")
    try {
      const value: unknown = JSON.parse(trimmed)
      if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonLine['value']
      reading.onBadLine(at, 'expected an object')
    } catch (cause) {
      if (!(cause instanceof SyntaxError)) throw cause
      reading.onBadLine(at, `no JSON: ${cause.message}`)
    }
    return undefined
  }
}

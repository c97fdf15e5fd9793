/** Reads a mapping file. Every fault names file:line:column and, for a misspelt key, the one that was probably meant. */
import { readFileSync } from 'node:fs'
import { LineCounter, parseDocument } from 'yaml'
import { z } from 'zod'
import { offsetOf } from '../config/place.js'
import { nearest } from '../config/suggest.js'
import { MillraceError } from '../domain/errors.js'
import { type Mapping, mappingSchema } from './mapping.js'

export interface LoadedMapping {
  mapping: Mapping
  /** 'file:line:column' of a key path, for faults that only show when the data is there. */
  locate(path: readonly PropertyKey[]): string
}

export function loadMapping(file: string): LoadedMapping {
  try {
    return parseMapping(readFileSync(file, 'utf8'), file)
  } catch (cause) {
    if (cause instanceof MillraceError) throw cause
    throw new MillraceError('IMPORT_INVALID', `${file}: the mapping can not be read (${(cause as Error).message})`, {
      cause,
    })
  }
}

export function parseMapping(text: string, file: string): LoadedMapping {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset)
    return `${file}:${line}:${col}`
  }
  const locate = (path: readonly PropertyKey[]) => at(offsetOf(document, path))
  const broken = document.errors[0]
  if (broken !== undefined) throw new MillraceError('IMPORT_INVALID', `${at(broken.pos[0])}: ${broken.message}`)
  const parsed = mappingSchema.safeParse(document.toJS() ?? {})
  const faults = parsed.success
    ? contradictions(parsed.data)
    : parsed.error.issues.flatMap(issue => faultsOf(issue, []))
  if (!parsed.success || faults.length > 0) {
    throw new MillraceError(
      'IMPORT_INVALID',
      faults
        .map(
          ({ path, of, message }) =>
            `${at(offsetOf(document, path, of))}: ${path.length === 0 ? '' : `${path.map(String).join('.')}: `}${message}`,
        )
        .join('\n'),
    )
  }
  return { mapping: parsed.data, locate }
}

interface Fault {
  path: PropertyKey[]
  of?: 'key'
  message: string
}

function contradictions(mapping: Mapping): Fault[] {
  const faults: Fault[] = []
  if (!mapping.header && mapping.columns === undefined) {
    faults.push({ path: ['header'], message: 'without a header, `columns` must name the columns' })
  }
  const kinds = typeof mapping.event === 'string' ? [mapping.event] : Object.values(mapping.event.values)
  if (kinds.includes('rating') && mapping.fields.value === undefined) {
    faults.push({ path: ['fields'], message: 'ratings need `value`, the column of the rating' })
  }
  return faults
}

function faultsOf(issue: z.core.$ZodIssue, above: PropertyKey[]): Fault[] {
  const path = [...above, ...issue.path]
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map(key => {
      const meant = nearest(key, keysAt(path))
      return {
        path: [...path, key],
        of: 'key',
        message: `unknown key${meant === undefined ? '' : `, did you mean '${meant}'?`}`,
      }
    })
  }
  if (issue.code === 'invalid_union') {
    // The branch that the author had in mind is the one that only fails further down.
    const branch = issue.errors.find(issues =>
      issues.every(one => one.path.length > 0 || one.code === 'unrecognized_keys'),
    )
    if (branch !== undefined) return branch.flatMap(one => faultsOf(one, path))
  }
  return [{ path, message: issue.message.replace(/^Invalid input: /, '') }]
}

interface SchemaNode {
  properties?: Record<string, SchemaNode>
  additionalProperties?: SchemaNode | boolean
  anyOf?: SchemaNode[]
}

/** Keys that the schema knows at a path. */
function keysAt(path: readonly PropertyKey[]): string[] {
  let nodes = [z.toJSONSchema(mappingSchema, { io: 'input' }) as SchemaNode]
  for (const part of path) {
    nodes = nodes
      .flatMap(node => [node, ...(node.anyOf ?? [])])
      .flatMap(node => {
        const child = node.properties?.[String(part)] ?? node.additionalProperties
        return typeof child === 'object' ? [child] : []
      })
  }
  return nodes.flatMap(node => [node, ...(node.anyOf ?? [])]).flatMap(node => Object.keys(node.properties ?? {}))
}

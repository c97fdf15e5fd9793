/**
 * Schemas of a registry may use types of other subjects by name. avsc wants one self-contained schema: here each such
 * name is replaced by its definition where a reader first meets it, as Avro has it for names within one schema.
 */
const PRIMITIVES = new Set(['null', 'boolean', 'int', 'long', 'float', 'double', 'bytes', 'string'])

/** definitions: the JSON of the schemas referred to, those behind them included. Throws what is wrong with the JSON. */
export function inlineReferences(schema: string, definitions: readonly string[]): string {
  const known = new Map<string, unknown>()
  for (const definition of definitions) {
    const type = JSON.parse(definition)
    const name = isObject(type) ? fullName(type, '') : undefined
    if (name !== undefined) known.set(name, type)
  }
  return JSON.stringify(inline(JSON.parse(schema), '', known))
}

/** Takes from `known` what it puts in: a name is defined once. */
function inline(type: unknown, namespace: string, known: Map<string, unknown>): unknown {
  if (typeof type === 'string') {
    if (PRIMITIVES.has(type)) return type
    const name = type.includes('.') || namespace === '' ? type : `${namespace}.${type}`
    const found = known.get(name)
    if (!isObject(found)) return type
    // Without a namespace of its own it would take that of the place where it now stands.
    return inline({ ...found, namespace: found.namespace ?? '' }, '', known)
  }
  if (Array.isArray(type)) return type.map(branch => inline(branch, namespace, known))
  if (!isObject(type)) return type
  const name = fullName(type, namespace)
  if (name !== undefined) known.delete(name)
  const inner = name === undefined ? namespace : name.slice(0, Math.max(0, name.lastIndexOf('.')))
  const copy: Record<string, unknown> = { ...type }
  for (const key of ['type', 'items', 'values']) if (key in copy) copy[key] = inline(copy[key], inner, known)
  if (Array.isArray(copy.fields)) {
    copy.fields = copy.fields.map(field =>
      isObject(field) ? { ...field, type: inline(field.type, inner, known) } : field,
    )
  }
  return copy
}

function fullName(type: Record<string, unknown>, enclosing: string): string | undefined {
  const { name, namespace = enclosing } = type
  if (typeof name !== 'string') return undefined
  return name.includes('.') || namespace === '' || typeof namespace !== 'string' ? name : `${namespace}.${name}`
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

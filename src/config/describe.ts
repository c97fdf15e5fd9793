/** Everything that is derived from the schema: the JSON schema, the list of leaves, docs/config.md. */
import { z } from 'zod'
import { configSchema } from './schema.js'

export interface ConfigLeaf {
  /** '[]' stands for an entry of a list. */
  path: string[]
  type: string
  description: string
  default: unknown
  env?: string
  unit?: string
  /** Never printed; may come from a file named by `${env}_FILE`. */
  secret?: boolean
  /** The innermost section around it that nobody can give a default: it is there only if the user asks for it. */
  section?: string[]
}

interface SchemaNode {
  type?: string
  description?: string
  default?: unknown
  env?: string
  unit?: string
  secret?: boolean
  enum?: unknown[]
  properties?: Record<string, SchemaNode>
  required?: string[]
  items?: SchemaNode
  prefixItems?: SchemaNode[]
  anyOf?: SchemaNode[]
}

export function configJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any' }) as Record<string, unknown>
  return { $schema: schema.$schema, title: 'Millrace configuration', ...schema }
}

let leaves: ConfigLeaf[] | undefined

/** Leaves outside lists (those that environment and flags can name), or all of them. */
export function describeLeaves(withLists = false): ConfigLeaf[] {
  leaves ??= [...walk(configJsonSchema() as SchemaNode, [])]
  return withLists ? leaves : leaves.filter(leaf => !leaf.path.includes('[]'))
}

function* walk(node: SchemaNode, path: string[], section?: string[]): Generator<ConfigLeaf> {
  if (node.properties !== undefined) {
    const inner = path.length > 0 && node.required !== undefined ? path : section
    for (const [key, child] of Object.entries(node.properties)) yield* walk(child, [...path, key], inner)
    return
  }
  if (node.type === 'array' && node.items?.properties !== undefined) {
    yield* walk(node.items, [...path, '[]'], section)
    return
  }
  yield {
    path,
    type: typeText(node),
    description: node.description ?? '',
    default: node.default,
    ...(node.env === undefined ? {} : { env: node.env }),
    ...(node.unit === undefined ? {} : { unit: node.unit }),
    ...(node.secret === true ? { secret: true } : {}),
    ...(section === undefined ? {} : { section }),
  }
}

/** What the schema says of whole sections, by their path: 'join', 'source.simulate', 'tasks[].label'. */
function describeSections(): Map<string, string> {
  const found = new Map<string, string>()
  const visit = (node: SchemaNode, path: string): void => {
    if (node.description !== undefined && path !== '') found.set(path, node.description)
    for (const [key, child] of Object.entries(node.properties ?? {})) {
      const name = path === '' ? key : `${path}.${key}`
      if (child.properties !== undefined) visit(child, name)
      else if (child.items?.properties !== undefined) {
        visit(child.items, `${name}[]`)
        if (child.description !== undefined) found.set(name, child.description)
      }
    }
  }
  visit(configJsonSchema() as SchemaNode, '')
  return found
}

function typeText(node: SchemaNode): string {
  if (node.enum !== undefined) return node.enum.map(String).join(' \\| ')
  if (node.anyOf !== undefined) return [...new Set(node.anyOf.map(typeText))].join(' \\| ')
  if (node.prefixItems !== undefined) return `[${node.prefixItems.map(typeText).join(', ')}]`
  if (node.type === 'array') return `list of ${node.items === undefined ? 'values' : typeText(node.items)}`
  if (node.unit === 'duration') return 'duration'
  return node.type ?? 'any'
}

/** docs/config.md: one table a section. */
export function configMarkdown(): string {
  const lines = [
    '# Configuration',
    '',
    'Generated from `src/config/schema.ts` by `npm run generate`; do not edit.',
    '',
    'One YAML file. Flags are stronger than the environment, the environment is stronger than the file. Text values may hold `${NAME}` or `${NAME:default}`.',
    'Durations are written as `250ms`, `10s`, `1h30m`, `7d`. Paths are relative to the file. `millrace config lint FILE` checks a file.',
  ]
  const sections = describeSections()
  let section: string | undefined
  for (const leaf of describeLeaves(true)) {
    const [head = ''] = leaf.path
    const name = leaf.path.length > 1 ? head : ''
    if (name !== section) {
      section = name
      lines.push('', `## ${name === '' ? 'Top level' : name}`, '')
      const about = sections.get(name)
      if (about !== undefined) lines.push(about, '')
      lines.push('| key | type | default | meaning |', '| --- | --- | --- | --- |')
      sections.delete(name)
    }
    const key = leaf.path.join('.').replaceAll('.[]', '[]')
    for (const [path, about] of sections) {
      const inside = key.slice(path.length)
      if (!key.startsWith(path) || !/^(\.|\[\])/.test(inside)) continue
      lines.push(`| \`${path}\` | section | | ${about} |`)
      sections.delete(path)
    }
    const fallback = leaf.default === undefined ? '' : `\`${JSON.stringify(leaf.default)}\``
    const unit = leaf.unit === undefined || leaf.unit === 'duration' ? '' : `, ${leaf.unit}`
    const env = leaf.env === undefined ? '' : ` Environment: \`${leaf.env}\`.`
    lines.push(`| \`${key}\` | ${leaf.type}${unit} | ${fallback} | ${leaf.description}${env} |`)
  }
  return `${lines.join('\n')}\n`
}

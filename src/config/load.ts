/**
 * Reads the configuration: flag > environment > file > default. Every fault names file:line:column, says what was
 * expected and, for an unknown key, which key was probably meant. The only file that reads process.env.
 */
import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { LineCounter, parseDocument } from 'yaml'
import type { z } from 'zod'
import { MillraceError } from '../domain/errors.js'
import { type Challenger, readChallengers } from './challengers.js'
import { type ConfigLeaf, describeLeaves } from './describe.js'
import { configHash } from './hash.js'
import { offsetOf } from './place.js'
import { type Config, configSchema } from './schema.js'
import { setPath } from './set-path.js'
import { nearest } from './suggest.js'

export type Environment = Readonly<Record<string, string | undefined>>

export interface LoadedConfig {
  config: Config
  file: string
  /** Paths in the file are relative to its folder. */
  folder: string
  /** What the file, environment and flags said, before defaults. */
  input: Record<string, unknown>
  /** Names the configuration of the model: two learners with equal hashes learn the same from the same log. */
  hash: string
  /** Who learns beside it. */
  challengers: readonly Challenger[]
}

/** A check beyond the schema: a path and what is wrong there. */
export interface ConfigFault {
  path: readonly PropertyKey[]
  message: string
  /** What of it is wrong, if not the value. */
  of?: 'key'
}

export interface LoadOptions {
  /** 'weights.method' → 'manual'; the strongest source. */
  overrides?: Readonly<Record<string, unknown>>
  env?: Environment
  /** Checks that need to know more than one section. */
  check?: (config: Config) => ConfigFault[]
}

/** The process environment, for the few who need it whole. */
export const environment = (): Environment => process.env

/** For native libraries that read the environment when they are loaded. What the user has set is left alone. */
export function setEnvironment(values: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(values)) process.env[name] ??= value
}

export function loadConfig(file: string, options: LoadOptions = {}): LoadedConfig {
  const env = options.env ?? process.env
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    throw new MillraceError(
      'CONFIG_INVALID',
      `${file}: the configuration file can not be read (${(cause as Error).message})`,
      { cause },
    )
  }
  return parseConfig(text, file, { ...options, env })
}

export function parseConfig(text: string, file: string, options: LoadOptions = {}): LoadedConfig {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset)
    return `${file}:${line}:${col}`
  }
  const broken = document.errors[0]
  if (broken !== undefined) throw new MillraceError('CONFIG_INVALID', `${at(broken.pos[0])}: ${broken.message}`)

  const input = interpolate(document.toJS() ?? {}, options.env ?? {}) as Record<string, unknown>
  const flags = Object.entries(options.overrides ?? {}).map(([path, value]) => ({ path: path.split('.'), value }))
  for (const leaf of describeLeaves()) {
    const value = fromEnvironment(leaf, options.env ?? {})
    if (value === undefined || !isAskedFor(leaf, input, flags)) continue
    setPath(input, leaf.path, typed(value, leaf.type))
  }
  for (const { path, value } of flags) setPath(input, path, value)

  const parsed = configSchema.safeParse(input)
  const check = options.check ?? (() => [])
  const faults = parsed.success ? check(parsed.data) : parsed.error.issues.flatMap(faultsOf)
  const challengers =
    parsed.success && faults.length === 0 ? readChallengers(input, parsed.data, fault => faults.push(fault), check) : []
  if (!parsed.success || faults.length > 0) {
    const messages = faults.map(
      fault => `${at(offsetOf(document, fault.path, fault.of))}: ${pathText(fault.path)}${fault.message}`,
    )
    throw new MillraceError('CONFIG_INVALID', messages.join('\n'))
  }
  const { data: config } = parsed
  return { config, file, folder: dirname(resolve(file)), input, hash: configHash(config), challengers }
}

/** ${NAME} and ${NAME:default} in text values. */
function interpolate(value: unknown, env: Environment): unknown {
  if (typeof value === 'string') {
    return value.replaceAll(
      /\$\{([A-Za-z_][A-Za-z0-9_]*)(?::([^}]*))?\}/g,
      (whole, name: string, fallback?: string) => env[name] ?? fallback ?? whole,
    )
  }
  if (Array.isArray(value)) return value.map(one => interpolate(one, env))
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, interpolate(one, env)]))
  }
  return value
}

/** A variable that many programs share (KAFKA_GROUP_ID) does not make a section that the user has not begun. */
function isAskedFor(
  { section }: ConfigLeaf,
  input: Record<string, unknown>,
  flags: readonly { path: string[] }[],
): boolean {
  if (section === undefined) return true
  let found: unknown = input
  for (const key of section) found = (found as Record<string, unknown> | undefined | null)?.[key]
  return found != null || flags.some(({ path }) => section.every((key, index) => path[index] === key))
}

function fromEnvironment({ env: name, secret }: ConfigLeaf, env: Environment): string | undefined {
  if (name === undefined) return undefined
  const file = secret === true ? env[`${name}_FILE`] : undefined
  if (env[name] !== undefined || file === undefined) return env[name]
  try {
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '')
  } catch (cause) {
    throw new MillraceError('CONFIG_INVALID', `${name}_FILE: ${(cause as Error).message}`, { cause })
  }
}

function typed(text: string, type: string): unknown {
  if ((type === 'number' || type === 'integer') && text.trim() !== '' && !Number.isNaN(Number(text)))
    return Number(text)
  if (type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true'
  if (type.startsWith('list of ')) return text.split(',').map(one => one.trim())
  return text
}

function faultsOf(issue: z.core.$ZodIssue): ConfigFault[] {
  if (issue.code !== 'unrecognized_keys')
    return [{ path: issue.path, message: issue.message.replace(/^Invalid input: /, '') }]
  return issue.keys.map(key => {
    const meant = nearest(key, knownKeys(issue.path))
    return {
      path: [...issue.path, key],
      of: 'key',
      message: `unknown key${meant === undefined ? '' : `, did you mean '${meant}'?`}`,
    }
  })
}

function knownKeys(path: readonly PropertyKey[]): string[] {
  const prefix = path.map(part => (typeof part === 'number' ? '[]' : String(part)))
  const keys = describeLeaves(true)
    .filter(leaf => prefix.every((part, index) => leaf.path[index] === part))
    .map(leaf => leaf.path[prefix.length])
  return [...new Set(keys.filter(key => key !== undefined))]
}

const pathText = (path: readonly PropertyKey[]) => (path.length === 0 ? '' : `${path.map(String).join('.')}: `)

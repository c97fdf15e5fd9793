/** A folder with a configuration and a log for tests of the whole program, and what came out of it. */
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { after } from 'node:test'
import { stringify } from 'yaml'
import type { LogWriter } from '../../src/sink/sink.js'
import { readContainers } from '../contract/read-containers.js'
import { smallConfig } from './small-config.js'

export { smallConfig }

export const DAY_MS = 86_400_000
export const START_MS = 1_704_067_200_000

export class Workspace {
  readonly folder: string

  constructor(config: Record<string, unknown> | string = smallConfig) {
    this.folder = mkdtempSync(join(tmpdir(), 'millrace-e2e-'))
    this.configure(config)
    after(() => rmSync(this.folder, { recursive: true, force: true }))
  }

  /** The configuration as text, or as what it says. */
  configure(config: Record<string, unknown> | string): void {
    writeFileSync(this.path('millrace.yaml'), typeof config === 'string' ? config : stringify(config))
  }

  path(...parts: string[]): string {
    return join(this.folder, ...parts)
  }

  copyLog(from: Workspace): void {
    cpSync(from.path('log'), this.path('log'), { recursive: true })
  }

  /** Everything that a run published. */
  outputs(): Record<string, string> {
    return digests(this.path('out'))
  }

  /** Names of the checkpoints, oldest first. */
  checkpoints(): string[] {
    return existsSync(this.path('checkpoints')) ? readdirSync(this.path('checkpoints')).sort() : []
  }

  checkpoint(name: string): Record<string, string> {
    return digests(this.path('checkpoints', name))
  }

  /** The last checkpoint of a log that was learned to its end, with all outputs: what has to be equal byte for byte. */
  final(): Record<string, Record<string, string>> {
    const name = this.checkpoints().at(-1) ?? 'none'
    return { outputs: this.outputs(), [name]: this.checkpoint(name) }
  }

  /** The records of an output, with a reader that is not ours. */
  async records<T = Record<string, unknown>>(output: string): Promise<T[]> {
    const folder = this.path('out', output)
    if (!existsSync(folder)) return []
    const files = readdirSync(folder)
      .sort()
      .map(file => join(folder, file))
    return (await readContainers(files)) as T[]
  }
}

/** File below the folder → checksum of its bytes. */
export function digests(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true })
    .map(file => join(folder, String(file)))
    .filter(file => statSync(file).isFile())
    .sort()
  return Object.fromEntries(
    files.map(file => [relative(folder, file), createHash('sha256').update(readFileSync(file)).digest('hex')]),
  )
}

export function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}

/** The record in question as another tool would find it among dead letters. */
export interface DeadLetter {
  partition: string
  offset: string
  reason: string
  stage: string
  message: string
  schema: string | null
  payload: Buffer
  eventTime: number | null
}

/**
 * A plain log of one partition that anybody can count: `pages` pages, one a minute, each with four impressions of items
 * i0…i19 to one of ten users; the first is clicked on every page, and bought and rated on every fifth.
 */
export function writePlainLog(writer: LogWriter, pages: number, from = 0): void {
  if (from === 0) {
    for (let item = 0; item < 20; item++) {
      const price = 5 + item
      const stamp = { eventId: `profile${item}`, eventTime: START_MS }
      writer.write(0, 'item', { ...stamp, id: `i${item}`, category: `c${item % 4}`, price })
    }
  }
  for (let page = from; page < from + pages; page++) writePage(writer, page)
}

/** Records of one page of the plain log, in the order in which it writes them. */
export const RECORDS_A_PAGE = { plain: 5, every5th: 7 }

function writePage(writer: LogWriter, page: number): void {
  const atMs = START_MS + page * 60_000
  const user = `u${page % 10}`
  const requestId = `r${page}`
  for (let position = 1; position <= 4; position++) {
    const item = `i${(page * 3 + position * 5) % 20}`
    writer.write(0, 'impression', {
      eventId: `${requestId}-${position}`,
      eventTime: atMs + position,
      user,
      item,
      requestId,
      position,
    })
  }
  const pair = { user, item: `i${(page * 3 + 5) % 20}`, requestId }
  writer.write(0, 'click', { ...pair, eventId: `c${page}`, eventTime: atMs + 5000 })
  if (page % 5 !== 0) return
  writer.write(0, 'buy', { ...pair, eventId: `b${page}`, eventTime: atMs + 20_000 })
  writer.write(0, 'rating', { ...pair, eventId: `g${page}`, eventTime: atMs + 30_000, value: 1 + ((page / 5) % 5) })
}

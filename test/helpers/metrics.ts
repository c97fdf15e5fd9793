/** What an instance says of itself, as Prometheus and an orchestrator would ask for it. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Running } from './process.js'

const cached = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'millrace', 'promtool', 'promtool')
const promtool = existsSync(cached) ? cached : 'promtool'

/** For `{ skip: promtoolSkip }`: false, or the reason. */
export const promtoolSkip: false | string =
  spawnSync(promtool, ['--version']).status === 0 ? false : 'promtool is not provisioned (scripts/provision-promtool)'

/** Runs promtool; returns what it printed. */
export function runPromtool(...args: string[]): { status: number | null; printed: string } {
  const { status, stdout, stderr } = spawnSync(promtool, args, { encoding: 'utf8' })
  return { status, printed: stdout + stderr }
}

/** What Prometheus' own tool has to say against it: nothing. */
export function assertPromtool(text: string): void {
  const { status, stdout, stderr } = spawnSync(promtool, ['check', 'metrics'], { input: text, encoding: 'utf8' })
  assert.equal(stdout + stderr, '')
  assert.equal(status, 0)
}

const DEADLINE_MS = 600_000

const SAMPLE =
  /^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{(?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\[\\"n])*",?)*\})? (-?\d+(?:\.\d+)?(?:e[+-]?\d+)?|Nan|[+-]Inf)$/

/** 'name{label="value"}' → value; every line must be of the text format, and every series must be there once. */
export function parseMetrics(text: string): Map<string, number> {
  const series = new Map<string, number>()
  assert.ok(text.endsWith('\n'))
  for (const line of text.split('\n')) {
    if (line === '' || /^# (HELP|TYPE) [a-zA-Z_:]\w* \S/.test(line)) continue
    const sample = SAMPLE.exec(line)
    assert.ok(sample, `not of the text format: ${line}`)
    const [, name = '', labels = '', value] = sample
    assert.ok(!series.has(name + labels), `twice: ${name}${labels}`)
    series.set(name + labels, value === '+Inf' ? Number.POSITIVE_INFINITY : Number(value))
  }
  return series
}

/** The sum of all series of a metric that have these labels. */
export function total(series: ReadonlyMap<string, number>, name: string, ...labels: string[]): number {
  let sum = 0
  for (const [key, value] of series) {
    if (key.replace(/\{.*/, '') === name && labels.every(label => key.includes(label))) sum += value
  }
  return sum
}

export class Observed {
  readonly url: string

  constructor(url: string) {
    this.url = url
  }

  /** As soon as it says where; the port must be 0 or free. */
  static async of(instance: Running): Promise<Observed> {
    const said = () => /"metrics":"(http:[^"]+)\/metrics"/.exec(instance.stderr)?.[1]
    await instance.until(() => said() !== undefined)
    return new Observed(said() ?? '')
  }

  async ask(path: string): Promise<{ status: number; text: string }> {
    const response = await fetch(this.url + path)
    return { status: response.status, text: await response.text() }
  }

  async metrics(): Promise<Map<string, number>> {
    return parseMetrics((await this.ask('/metrics')).text)
  }

  /** Scrapes until it holds; what was scraped then. */
  async until(what: string, holds: (series: Map<string, number>) => boolean): Promise<Map<string, number>> {
    const end = performance.now() + DEADLINE_MS
    for (;;) {
      const series = await this.metrics()
      if (holds(series)) return series
      if (performance.now() > end) throw new Error(`waited ${DEADLINE_MS} ms in vain until ${what}`)
      await pause(50)
    }
  }

  /** Asks until the page says it; what it said then. */
  async says(path: string, pattern: RegExp): Promise<{ status: number; text: string }> {
    const end = performance.now() + DEADLINE_MS
    for (;;) {
      const answer = await this.ask(path)
      if (pattern.test(answer.text)) return answer
      if (performance.now() > end) throw new Error(`${path} never said ${pattern}, but ${answer.text}`)
      await pause(50)
    }
  }
}

/** Runs a Node program as users do, a process of its own, and says what it took. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { packageRoot } from '../src/std/package-root.js'

export interface Finished {
  stdout: string
  /** From the start of the process to its end. */
  seconds: number
  /** Of all its threads. */
  cpuSeconds: number
  maxRssBytes: number
}

/** The program as it is published. */
export function millrace(...args: string[]): Promise<Finished> {
  return runProgram([join(packageRoot(), 'dist/cli.js'), ...args])
}

/** A program of this folder. */
export function benchProgram(name: string, ...args: string[]): Promise<Finished> {
  return runProgram([join(packageRoot(), '.build/bench', name), ...args])
}

async function runProgram(args: readonly string[]): Promise<Finished> {
  const usage = join(packageRoot(), '.build/bench/usage.js')
  const start = performance.now()
  const child = spawn(process.execPath, ['--import', usage, ...args], {
    cwd: packageRoot(),
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  })
  const texts = [child.stdout, child.stderr, child.stdio[3]].map(stream => textOf(stream as Readable))
  const [code] = (await once(child, 'exit')) as [number | null]
  const seconds = (performance.now() - start) / 1000
  const [stdout = '', stderr = '', used = ''] = await Promise.all(texts)
  if (code !== 0) throw new Error(`${args.slice(1).join(' ')}: exit code ${code}: ${stderr.trim().slice(-500)}`)
  return { stdout, seconds, ...(JSON.parse(used) as { cpuSeconds: number; maxRssBytes: number }) }
}

async function textOf(stream: Readable): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}

/** What the numbers were measured on: enough to judge them, nothing that names the machine or its folders. */
import { cpus, homedir, loadavg, totalmem } from 'node:os'
import { packageRoot } from '../src/std/package-root.js'

export interface Machine {
  cpu: string
  cores: number
  memoryGiB: number
  node: string
  platform: string
}

export function describeMachine(): Machine {
  return {
    cpu: (cpus()[0]?.model ?? 'unknown').replaceAll(/\s+/g, ' ').trim(),
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
  }
}

/** Over 1, 5 and 15 minutes. */
export function loadAverage(): number[] {
  return loadavg().map(load => Math.round(load * 100) / 100)
}

export function withoutPaths(text: string): string {
  return text.replaceAll(packageRoot(), '.').replaceAll(homedir(), '~')
}

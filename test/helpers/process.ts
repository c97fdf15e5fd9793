/** The program as users run it: a real process of the compiled command line. */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const compiled = fileURLToPath(new URL('../../src/cli.js', import.meta.url))
/** Beside the compiled tests; tests that run from their sources take the build. */
export const CLI = existsSync(compiled) ? compiled : fileURLToPath(new URL('../../dist/cli.js', import.meta.url))

export interface Finished {
  code: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
}

export interface RunOptions {
  cwd?: string
  env?: Record<string, string>
}

export class Running {
  readonly child: ChildProcess
  readonly finished: Promise<Finished>
  #stdout = ''
  #stderr = ''
  #ended = false

  constructor(command: string, args: readonly string[], { cwd, env }: RunOptions = {}) {
    this.child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
    this.child.stdout?.setEncoding('utf8').on('data', text => {
      this.#stdout += text
    })
    this.child.stderr?.setEncoding('utf8').on('data', text => {
      this.#stderr += text
    })
    this.finished = new Promise((resolve, reject) => {
      this.child.on('error', reject)
      this.child.on('exit', () => {
        this.#ended = true
      })
      this.child.on('close', (code, signal) => {
        resolve({ code, signal, stdout: this.#stdout, stderr: this.#stderr })
      })
    })
  }

  get ended(): boolean {
    return this.#ended
  }

  get stderr(): string {
    return this.#stderr
  }

  kill(signal: NodeJS.Signals): Promise<Finished> {
    this.child.kill(signal)
    return this.finished
  }

  /** Looks until the condition holds or the process has ended; whether it held. Polling: what is watched is another process's files. */
  async sees(condition: () => boolean, everyMs = 1): Promise<boolean> {
    while (!this.#ended) {
      if (condition()) return true
      await pause(everyMs)
    }
    return condition()
  }

  /** The same, but the process must not end before. */
  async until(condition: () => boolean, everyMs = 5): Promise<void> {
    if ((await this.sees(condition, everyMs)) && !this.#ended) return
    const { code, stderr } = await this.finished
    throw new Error(`the process ended with ${code} before what was waited for\n${stderr}`)
  }
}

export const start = (args: readonly string[], options?: RunOptions) =>
  new Running(process.execPath, [CLI, ...args], options)

export const millrace = (args: readonly string[], options?: RunOptions): Promise<Finished> =>
  start(args, options).finished

/** A line for sh; $MILLRACE stands for the program. */
export const shell = (line: string, options: RunOptions = {}): Promise<Finished> =>
  new Running('sh', ['-c', line], { ...options, env: { ...options.env, MILLRACE: `${process.execPath} ${CLI}` } })
    .finished

/** Python programs beside us: the peer and the independent reader, and the Pythons of scripts/provision-*. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../src/std/package-root.js'
import { NotMeasured } from './row.js'

/** Of scripts/provision-python; has a Kafka client. cache: of this project. */
export function kafkaPython(cache: string): string {
  const python = join(cache, 'py/bin/python')
  if (!existsSync(python)) throw new NotMeasured('no Kafka client for Python; scripts/provision-python installs it')
  return python
}

/** Where that Python keeps its packages, for another Python of the same version. */
export async function packagesOf(python: string): Promise<string> {
  const program = 'import sysconfig; print(sysconfig.get_paths()["platlib"])'
  return (await new PythonProgram(python, ['-c', program]).output()).trim()
}

export class PythonProgram {
  readonly #end: Promise<number | null>
  #stdout = ''
  #stderr = ''
  #onLine: () => void = () => {}

  constructor(python: string, args: readonly string[], env: Record<string, string> = {}) {
    const child = spawn(python, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text
      this.#onLine()
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text
    })
    this.#end = once(child, 'close').then(([code]) => {
      this.#onLine()
      return code as number | null
    })
  }

  /** Resolves with its first line of output, or its end. */
  async begun(): Promise<void> {
    while (!this.#stdout.includes('\n') && (await this.#ended()) === undefined) {
      await new Promise<void>(resolve => {
        this.#onLine = resolve
      })
    }
  }

  /** All that it printed; rejects if it failed. */
  async output(): Promise<string> {
    const code = await this.#end
    if (code !== 0) throw new Error(`a Python program ended with ${code}: ${this.#stderr.slice(-500)}`)
    return this.#stdout
  }

  /** Its last line, as JSON. */
  async result<T>(): Promise<T> {
    return JSON.parse((await this.output()).trim().split('\n').at(-1) ?? '') as T
  }

  #ended(): Promise<number | null | undefined> {
    return Promise.race([this.#end, Promise.resolve(undefined)])
  }
}

export interface Seen {
  predictions: number
  distinct: number
  /** Seconds from the event's time to its prediction's being readable. */
  aged: number
  p50: number
  p90: number
  p99: number
  max: number
  /** The longest time without a prediction, in seconds. */
  longestPause: number
}

/** seconds: 0 = until nothing more comes. */
export function readPredictions(
  cache: string,
  brokers: readonly string[],
  topic: string,
  { seconds = 0, skipSeconds = 0 } = {},
): PythonProgram {
  const script = join(packageRoot(), 'bench/kafka_reader.py')
  return new PythonProgram(kafkaPython(cache), [script, brokers.join(','), topic, String(seconds), String(skipSeconds)])
}

export interface Published {
  versions: number
  deltas: number
  aged: number
  unpublished: number
  /** Seconds from the event to the first version with it being readable. */
  p50: number
  p99: number
  max: number
}

export function readSnapshots(
  cache: string,
  brokers: readonly string[],
  topics: { events: string; snapshots: string },
  { seconds, skipSeconds }: { seconds: number; skipSeconds: number },
): PythonProgram {
  const script = join(packageRoot(), 'bench/kafka_freshness.py')
  const schema = join(packageRoot(), 'schemas/snapshot.avsc')
  const args = [
    script,
    brokers.join(','),
    topics.events,
    topics.snapshots,
    schema,
    String(seconds),
    String(skipSeconds),
  ]
  return new PythonProgram(kafkaPython(cache), args)
}

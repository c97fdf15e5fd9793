/**
 * Instances of one learner, as real processes of the program: started, killed, put to sleep; started again when none is
 * left, as a supervisor would. What they do is taken from their logs.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { until } from './kafka.js'
import { type Running, start } from './process.js'

interface Line {
  msg?: string
  code?: string
}

export class Instance {
  readonly run: Running
  readonly startedMs = performance.now()
  #lines: Line[] = []
  #seen = 0

  constructor(file: string) {
    this.run = start(['run', file, '--json'])
  }

  get pid(): number {
    return this.run.child.pid ?? 0
  }

  get isAlive(): boolean {
    return !this.run.ended
  }

  /** It reads the topics; whoever stands by does not. */
  get isActive(): boolean {
    const last = this.#all().findLast(({ msg }) => msg === 'this instance reads' || msg === 'standing by')
    return this.isAlive && last?.msg === 'this instance reads'
  }

  /** It is in the group. */
  get isMember(): boolean {
    return this.isActive || this.says('another instance reads: standing by')
  }

  /** Everything committed is learned again: what it makes now is published. */
  get isLive(): boolean {
    return this.isActive && (this.says('reading goes on live') || this.says('begins with nothing learned'))
  }

  says(message: string): boolean {
    return this.#all().some(({ msg }) => msg === message)
  }

  /** What it ended with, if that was not what is expected of one that was replaced or told to stop. */
  async failure(): Promise<string | undefined> {
    const { code, signal, stderr } = await this.run.finished
    if (code === 0 || signal === 'SIGKILL' || stderr.includes('KAFKA_FENCED')) return undefined
    return `code ${code}, signal ${signal}: ${stderr.slice(-1500)}`
  }

  #all(): Line[] {
    const text = this.run.stderr
    const end = text.lastIndexOf('\n') + 1
    if (end > this.#seen) {
      for (const line of text.slice(this.#seen, end).split('\n'))
        if (line.startsWith('{')) this.#lines.push(parse(line))
      this.#seen = end
    }
    return this.#lines
  }
}

export class Fleet {
  readonly #file: string
  readonly instances: Instance[] = []
  #isClosed = false
  #supervisor: Promise<void> = Promise.resolve()

  constructor(file: string) {
    this.#file = file
  }

  get alive(): Instance[] {
    return this.instances.filter(({ isAlive }) => isAlive)
  }

  get active(): Instance | undefined {
    return this.alive.find(({ isActive }) => isActive)
  }

  start(): Instance {
    const instance = new Instance(this.#file)
    this.instances.push(instance)
    return instance
  }

  /** From now on there is always one. */
  supervise(): void {
    this.#supervisor = (async () => {
      while (!this.#isClosed) {
        if (this.alive.length === 0) this.start()
        await sleep(200)
      }
    })()
  }

  async untilLive(): Promise<Instance> {
    await until('an instance is live', () => this.active?.isLive === true)
    return this.active ?? this.untilLive()
  }

  async untilMember(instance: Instance): Promise<void> {
    await until('an instance is a member', () => !instance.isAlive || instance.isMember)
  }

  /** All but the one that reads leave. */
  async alone(): Promise<Instance> {
    const one = await this.untilLive()
    await Promise.all(this.alive.filter(other => other !== one).map(other => other.run.kill('SIGTERM')))
    return one
  }

  /** In order; resolves to what went wrong with any instance that ever was. */
  async stop(): Promise<string[]> {
    this.#isClosed = true
    await this.#supervisor
    await Promise.all(this.alive.map(one => one.run.kill('SIGTERM')))
    return (await Promise.all(this.instances.map(one => one.failure()))).filter(one => one !== undefined)
  }

  /** Whatever happens. */
  destroy(): void {
    this.#isClosed = true
    for (const one of this.alive) one.run.child.kill('SIGKILL')
  }
}

function parse(line: string): Line {
  try {
    return JSON.parse(line) as Line
  } catch {
    return {}
  }
}

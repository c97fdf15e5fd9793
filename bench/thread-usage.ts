/** What the threads of another process have used, from /proc; Linux only. */
import { readdirSync, readFileSync } from 'node:fs'

/** Ticks a second in /proc: fixed at 100 for programs, whatever the kernel's own clock. */
const TICKS = 100

export interface Usage {
  /** All threads, in seconds of CPU. */
  seconds: number
  /** By thread id; the first thread's is that of the process. */
  threads: Map<number, number>
}

export function usageOf(pid: number): Usage {
  const threads = new Map<number, number>()
  for (const name of readdirSync(`/proc/${pid}/task`)) {
    const seconds = secondsIn(`/proc/${pid}/task/${name}/stat`)
    if (seconds !== undefined) threads.set(Number(name), seconds)
  }
  return { seconds: secondsIn(`/proc/${pid}/stat`) ?? 0, threads }
}

export interface Spent {
  seconds: number
  /** The first thread. */
  main: number
  /** The busiest of the others. */
  worker: number
}

export function spentBetween(pid: number, before: Usage, after: Usage): Spent {
  const spent = new Map([...after.threads].map(([id, seconds]) => [id, seconds - (before.threads.get(id) ?? 0)]))
  const others = [...spent].filter(([id]) => id !== pid).map(([, seconds]) => seconds)
  return { seconds: after.seconds - before.seconds, main: spent.get(pid) ?? 0, worker: Math.max(0, ...others) }
}

/** User and system time; undefined: it has ended. */
function secondsIn(file: string): number | undefined {
  try {
    const text = readFileSync(file, 'utf8')
    // The name in brackets may hold anything.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    return (Number(fields[11]) + Number(fields[12])) / TICKS
  } catch {
    return undefined
  }
}

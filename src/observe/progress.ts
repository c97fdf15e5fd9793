/**
 * Progress of long work: a bar with rate and ETA on a terminal, a log line every ten seconds otherwise. Always on
 * standard error. Rate and ETA are of this run: what was done before the first update (a resumed run) does not count.
 */
import cliProgress from 'cli-progress'
import type { Clock } from '../std/clock.js'
import type { Log } from './log.js'

export interface Progress {
  /** done: records so far; share: how much of the whole, 0..1, if known. */
  update(done: number, share: number | undefined): void
  stop(): void
}

const LINE_EVERY_MS = 10_000
const BAR_EVERY_MS = 100

export function createProgress(label: string, terminal: boolean, log: Log, clock: Clock): Progress {
  return terminal ? createBar(label, clock) : createLines(label, log, clock)
}

interface Pace {
  perSecond: number
  /** Undefined while nobody can know. */
  secondsLeft: number | undefined
}

/** Speed since the first call. */
export function createPace(): (done: number, share: number | undefined, nowMs: number) => Pace {
  let first: { done: number; share: number; atMs: number } | undefined
  return function pace(done, share, nowMs) {
    first ??= { done, share: share ?? 0, atMs: nowMs }
    const seconds = (nowMs - first.atMs) / 1000
    const gained = (share ?? 0) - first.share
    return {
      perSecond: seconds > 0 ? Math.round((done - first.done) / seconds) : 0,
      secondsLeft: share === undefined || gained <= 0 ? undefined : Math.ceil((seconds * (1 - share)) / gained),
    }
  }
}

function createBar(label: string, clock: Clock): Progress {
  const bar = new cliProgress.SingleBar(
    {
      format: `${label} {bar} {percentage}% · {records} records · {rate}/s · ETA {left}`,
      stream: process.stderr,
      // A signal may end the process at any time, and nobody would show the cursor or wrap lines again.
      hideCursor: false,
      linewrap: true,
      clearOnComplete: true,
      barsize: 16,
    },
    cliProgress.Presets.shades_classic,
  )
  const pace = createPace()
  let drawnMs = clock.monotonicMs()
  bar.start(1000, 0, { records: '0', rate: '–', left: '–' })
  return {
    update(done, share) {
      const nowMs = clock.monotonicMs()
      const { perSecond, secondsLeft } = pace(done, share, nowMs)
      if (nowMs - drawnMs < BAR_EVERY_MS) return
      drawnMs = nowMs
      bar.update(Math.round((share ?? 0) * 1000), {
        records: done.toLocaleString('en'),
        rate: perSecond === 0 ? '–' : perSecond.toLocaleString('en'),
        left: secondsLeft === undefined ? '–' : `${secondsLeft}s`,
      })
    },
    stop: () => bar.stop(),
  }
}

function createLines(label: string, log: Log, clock: Clock): Progress {
  const pace = createPace()
  let saidMs = clock.monotonicMs()
  return {
    update(done, share) {
      const nowMs = clock.monotonicMs()
      const { perSecond } = pace(done, share, nowMs)
      if (nowMs - saidMs < LINE_EVERY_MS) return
      saidMs = nowMs
      const percent = share === undefined ? {} : { percent: Math.round(share * 100) }
      log.info({ records: done, recordsPerSecond: perSecond, ...percent }, label)
    },
    stop() {},
  }
}

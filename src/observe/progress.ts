/**
 * Progress of long work: a bar with rate and ETA on a terminal, a log line every ten seconds otherwise. Always on
 * standard error.
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

function createBar(label: string, clock: Clock): Progress {
  const bar = new cliProgress.SingleBar(
    {
      format: `${label} {bar} {percentage}% · {records} records · {rate}/s · ETA {left}`,
      stream: process.stderr,
      // A signal may end the process at any time, and nobody would show the cursor again.
      hideCursor: false,
      clearOnComplete: true,
      barsize: 24,
    },
    cliProgress.Presets.shades_classic,
  )
  const startedMs = clock.monotonicMs()
  let drawnMs = startedMs
  bar.start(1000, 0, { records: '0', rate: '–', left: '–' })
  return {
    update(done, share) {
      const nowMs = clock.monotonicMs()
      if (nowMs - drawnMs < BAR_EVERY_MS) return
      drawnMs = nowMs
      const seconds = (nowMs - startedMs) / 1000
      const left = share === undefined || share <= 0 ? '–' : `${Math.ceil((seconds * (1 - share)) / share)}s`
      bar.update(Math.round((share ?? 0) * 1000), {
        records: done.toLocaleString('en'),
        rate: Math.round(done / seconds).toLocaleString('en'),
        left,
      })
    },
    stop: () => bar.stop(),
  }
}

function createLines(label: string, log: Log, clock: Clock): Progress {
  const startedMs = clock.monotonicMs()
  let saidMs = startedMs
  return {
    update(done, share) {
      const nowMs = clock.monotonicMs()
      if (nowMs - saidMs < LINE_EVERY_MS) return
      saidMs = nowMs
      const recordsPerSecond = Math.round((done * 1000) / (nowMs - startedMs))
      log.info(
        { records: done, recordsPerSecond, ...(share === undefined ? {} : { percent: Math.round(share * 100) }) },
        label,
      )
    },
    stop() {},
  }
}

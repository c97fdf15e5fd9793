/** One row of the table: what is measured, how, and what came of it. */
import type { Figure, Verdict } from './verdict.js'

/** What one run of the benchmarks shares between its rows. */
export interface Context {
  /** Smaller sizes and fewer runs: to see that everything works, not to judge. */
  quick: boolean
  /** How often a timing is repeated. */
  repeats: number
  /** A Python with PyTorch. */
  python: string
  say(progress: string): void
}

export interface Measured {
  figures: Figure[]
  /** What else was seen, for the JSON. */
  details: unknown
  /** Printed below the table. */
  notes?: string
}

export interface RowDefinition {
  /** For --only. */
  name: string
  what: string
  /** Left out by --quick, unless it is asked for by name. */
  slow?: boolean
  /** A timing: nothing runs beside it. */
  alone?: boolean
  /** Throws NotMeasured with a reason where it can not be done here. */
  measure(context: Context): Promise<Measured>
}

export interface Row {
  name: string
  what: string
  figures: Figure[]
  verdict: Verdict
  /** Why it was not measured. */
  reason?: string
  seconds?: number
  details?: unknown
  notes?: string
}

export class NotMeasured extends Error {}

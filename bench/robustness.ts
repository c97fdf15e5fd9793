/**
 * What a corrupted log does to the untouched ratings of it (see corruptions.ts): ml-100k, the example as it is. The same
 * seed makes the corruption and the model; a figure is a difference between two runs of one seed, over the same ratings.
 */

import { type Errors, errorsOf, readRatings } from './corrupted-run.js'
import { type Corruption, LOOPS, loops, type Rating, swapped, swappedAlone } from './corruptions.js'
import type { Context, Measured } from './row.js'
import { overSeeds } from './statistics.js'
import type { Figure } from './verdict.js'

/** Within so many events it is to be as good as one that knows nothing of the time before. */
const RECOVERY = 20_000
const WINDOW = 5_000
/** A million ratings a run. */
const LOOP_SEEDS = [1]

/** By name and seed: runs that several rows are measured against. */
const sharedRuns = new Map<string, Promise<Errors>>()

export function robustness(name: string, corrupt: Corruption, reach: number) {
  return async ({ repeats, say }: Context): Promise<Measured> => {
    const ratings = await readRatings()
    const runs: { clean: number; corrupted: number; judged: number }[] = []
    for (let seed = 1; seed <= repeats; seed++) {
      say(`${name}, seed ${seed}`)
      const clean = await cleanErrors(ratings, seed)
      const corrupted = corrupt(ratings, seed)
      const untouched = corrupted.flatMap(({ id }) => (id.startsWith('c') ? id : []))
      const errors = await errorsOf(name, corrupted, seed)
      runs.push({ clean: rmse(clean, untouched), corrupted: rmse(errors, untouched), judged: untouched.length })
    }
    const differences = overSeeds(runs.map(({ clean, corrupted }) => corrupted - clean))
    const figures: Figure[] = [
      { name: 'RMSE − clean', format: 'score', value: differences, limit: { better: 'lower', reach } },
    ]
    return { figures, details: runs }
  }
}

/**
 * Ids swapped half way: the last window within the time of recovery, against a learner that begins at the swap. The run's own
 * beginning is no bar: what came later is harder, for that learner as well.
 */
export async function measureSwap({ repeats, say }: Context): Promise<Measured> {
  const ratings = await readRatings()
  const half = Math.floor(ratings.length / 2)
  const runs: { windows: Record<'begun' | 'swapped' | 'clean' | 'afresh', number>[] }[] = []
  for (let seed = 1; seed <= repeats; seed++) {
    say(`ids swapped half way, seed ${seed}`)
    const clean = await cleanErrors(ratings, seed)
    const errors = await errorsOf('swapped', swapped(ratings, seed), seed)
    const afresh = await shared('swapped-alone', swappedAlone(ratings, seed), seed)
    const windows = Array.from({ length: half / WINDOW }, (_, window) => ({
      begun: rmse(errors, ids(window * WINDOW)),
      swapped: rmse(errors, ids(half + window * WINDOW)),
      clean: rmse(clean, ids(half + window * WINDOW)),
      afresh: rmse(afresh, ids(half + window * WINDOW)),
    }))
    runs.push({ windows })
  }
  const last = runs.map(({ windows }) => windows[RECOVERY / WINDOW - 1] ?? { begun: 0, swapped: Number.NaN, afresh: 0 })
  const recovered = overSeeds(last.map(({ swapped, afresh }) => swapped - afresh))
  const mean = (of: (window: (typeof last)[number]) => number) => last.reduce((sum, one) => sum + of(one), 0) / repeats
  return {
    figures: [
      { name: 'RMSE − begun at the swap', format: 'score', value: recovered, limit: { better: 'lower', reach: 0.005 } },
    ],
    details: runs,
    notes: `Ids swapped: ${mean(({ swapped }) => swapped).toFixed(4)}; as many ratings after its beginning that run had ${mean(({ begun }) => begun).toFixed(4)}, where one that begins at the swap has ${mean(({ afresh }) => afresh).toFixed(4)}.`,
  }
}

/** Ten times the log, then ids swapped: no loop is worse than the first, and what was learned so often can be unlearned. */
export async function measureLoops({ say }: Context): Promise<Measured> {
  const ratings = await readRatings()
  const runs: { byLoop: number[]; windows: Record<'begun' | 'swapped', number>[] }[] = []
  for (const seed of LOOP_SEEDS) {
    say(`${LOOPS} loops of the log, seed ${seed}`)
    const errors = await errorsOf('loops', loops(ratings, seed, RECOVERY), seed)
    const byLoop = Array.from({ length: LOOPS }, (_, loop) =>
      rmse(
        errors,
        ratings.map((_, i) => `c${loop}-${i}`),
      ),
    )
    const windows = Array.from({ length: RECOVERY / WINDOW }, (_, window) => ({
      begun: rmse(errors, ids(window * WINDOW, 'c0-')),
      swapped: rmse(errors, ids(window * WINDOW, 's')),
    }))
    runs.push({ byLoop, windows })
  }
  const worst = runs.map(({ byLoop }) => Math.max(...byLoop.slice(1).map(loop => loop - (byLoop[0] ?? Number.NaN))))
  // A model that has frozen says with certainty what is wrong, which is worse than always saying the mean.
  const constant = deviation(ratings.slice(RECOVERY - WINDOW, RECOVERY).map(({ value }) => Number(value)))
  const unlearned = runs.map(({ windows }) => (windows.at(-1)?.swapped ?? Number.NaN) - constant)
  const figures: Figure[] = [
    { name: 'worst loop − first', format: 'score', value: overSeeds(worst), limit: { better: 'lower', reach: 0 } },
    {
      name: 'ids swapped then: RMSE − constant',
      format: 'score',
      value: overSeeds(unlearned),
      limit: { better: 'lower', reach: 0 },
    },
  ]
  return { figures, details: runs }
}

function cleanErrors(ratings: readonly Rating[], seed: number): Promise<Errors> {
  return shared('clean', ratings, seed)
}

function shared(name: string, ratings: readonly Rating[], seed: number): Promise<Errors> {
  const key = `${name}-${seed}`
  const run = sharedRuns.get(key) ?? errorsOf(name, ratings, seed)
  sharedRuns.set(key, run)
  return run
}

function ids(from: number, prefix = 'c'): string[] {
  return Array.from({ length: WINDOW }, (_, i) => `${prefix}${from + i}`)
}

function deviation(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length)
}

/** An event without a prediction makes it NaN: nothing may go missing. */
function rmse(errors: Errors, judged: readonly string[]): number {
  const squares = judged.reduce((sum, id) => sum + (errors.get(id) ?? Number.NaN) ** 2, 0)
  return Math.sqrt(squares / judged.length)
}

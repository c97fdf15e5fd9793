/** What a checkpoint holds of challengers beside their own parts: how they stand, and their scores of the examples that wait. */
import type { LoadedState, PartState, StateArray } from '../domain/state.js'
import { type ExampleColumns, SLAB_ROWS } from '../features/columns.js'
import type { Contest } from './contest.js'

/** rows: those that wait, in the order in which they are saved. */
export function saveContest(contest: Contest, columns: ExampleColumns, rows: readonly number[]): PartState {
  const arrays: PartState['arrays'] = {}
  for (const { lane, hash } of contest.challengers) {
    const { scores, notes } = copyOwn(columns, rows, lane)
    Object.assign(arrays, { [`scores-${hash}`]: scores, [`notes-${hash}`]: notes })
  }
  return { meta: contest.saveComparisons(), arrays }
}

/** state: undefined of a checkpoint from before there were challengers. */
export async function loadContest(
  contest: Contest,
  columns: ExampleColumns,
  rows: readonly number[],
  state: LoadedState | undefined,
  eventTimeMs: number,
): Promise<void> {
  if (state !== undefined) {
    contest.loadComparisons(state.meta)
    for (const { lane, hash } of contest.challengers) {
      const { [`scores-${hash}`]: scores, [`notes-${hash}`]: notes } = state.arrays
      if (scores !== undefined && notes !== undefined) restoreOwn(columns, rows, lane, { scores, notes })
    }
  }
  await contest.begin(rows, eventTimeMs)
}

/** What a lane has of its own: [rows, tasks] scores, [rows, notes] notes. */
export function copyOwn(
  columns: ExampleColumns,
  rows: readonly number[],
  lane: number,
): { scores: Float32Array; notes: Float32Array } {
  const { tasks, notes } = columns.layout
  const copy = { scores: new Float32Array(rows.length * tasks), notes: new Float32Array(rows.length * notes) }
  for (const [index, row] of rows.entries()) {
    const slab = columns.slab(row, lane)
    const at = row % SLAB_ROWS
    copy.scores.set(slab.scores.subarray(at * tasks, (at + 1) * tasks), index * tasks)
    copy.notes.set(slab.notes.subarray(at * notes, (at + 1) * notes), index * notes)
  }
  return copy
}

export function restoreOwn(
  columns: ExampleColumns,
  rows: readonly number[],
  lane: number,
  own: { scores: StateArray; notes: StateArray },
): void {
  const { tasks, notes } = columns.layout
  for (const [index, row] of rows.entries()) {
    const slab = columns.slab(row, lane)
    const at = row % SLAB_ROWS
    slab.scores.set((own.scores as Float32Array).subarray(index * tasks, (index + 1) * tasks), at * tasks)
    slab.notes.set((own.notes as Float32Array).subarray(index * notes, (index + 1) * notes), at * notes)
  }
}

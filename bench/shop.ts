/** The simulated logs that are replayed: made once into .data/bench and kept; remove that folder to make them anew. */
import { join } from 'node:path'
import { loadChecked } from '../src/app/load-checked.js'
import { prepareLog } from '../src/app/prepare-log.js'
import type { LoadedConfig } from '../src/config/load.js'
import { packageRoot } from '../src/std/package-root.js'
import type { Context } from './row.js'

/** Relative to the project, where the programs run. */
export const REPLAY_CONFIG = 'bench/replay.yaml'
/** Events of one day, whatever the log's length: windows in event time then hold the same amount. */
const EVENTS_A_DAY = 1_000_000 / 30

/** bench/replay.yaml with changes, as `--set` takes them. */
export function loadReplay(settings: readonly string[]): LoadedConfig {
  return loadChecked(join(packageRoot(), REPLAY_CONFIG), { set: [...settings] })
}

/** Settings for a log of so many events, which is there afterwards. */
export async function shopLog(name: string, events: number, { say }: Context): Promise<string[]> {
  const settings = [
    `source.log=../.data/bench/${name}`,
    `source.simulate.events=${events}`,
    `source.simulate.days=${events / EVENTS_A_DAY}`,
  ]
  let saidAt = 0
  await prepareLog(loadReplay(settings), (records, share) => {
    if (performance.now() - saidAt < 5000) return
    saidAt = performance.now()
    say(`simulating ${name}: ${records.toLocaleString('en')} records, ${Math.round(share * 100)} %`)
  })
  return settings
}

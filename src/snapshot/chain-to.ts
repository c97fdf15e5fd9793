/** The way to one version along an output: the newest full version before it, or it, and the deltas in between. */
import type { SnapshotRecord } from '../sink/output-records.js'
import { VersionAssembler, type WholeVersion } from './assembler.js'

interface Output {
  /** Calls back with each record from the beginning to the present end, the next when that has resolved. */
  read(take: (record: SnapshotRecord) => Promise<void>): Promise<void>
}

/**
 * run: goes through the work, with pauses or without. version: default the newest. Empty: what the output holds does not lead
 * there. Where it holds a number twice, because a learner began afresh, the later one counts.
 */
export async function chainTo(
  output: Output,
  run: <T>(work: Generator<void, T>) => Promise<T>,
  version?: number,
): Promise<WholeVersion[]> {
  const assembler = new VersionAssembler()
  let chain: WholeVersion[] = []
  let found: WholeVersion[] = []
  await output.read(async record => {
    const arrived = await run(assembler.takeSlices(record))
    if (arrived === undefined) return
    if (arrived.state === 'incomplete') chain = []
    else if (arrived.kind === 'full') chain = [arrived]
    else {
      const last = chain.at(-1)
      // A version that comes again changes nothing.
      if (last?.manifest.checksum === arrived.manifest.checksum) return
      chain =
        last !== undefined && last.manifest.checksum === arrived.manifest.parentChecksum ? [...chain, arrived] : []
    }
    if (chain.length > 0 && (version === undefined || arrived.version === version)) found = chain
  })
  return found
}

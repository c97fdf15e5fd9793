/**
 * How long a learner with very many rows takes until it would go on: `replay --resume` of a log that it has learned to
 * its end, as a whole process (start of Node and of the backend, the restore itself, the report that nothing is new).
 */
import { existsSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { RunSummary } from '../src/evaluate/report/summary.js'
import { createLogWriter } from '../src/sink/log-writer.js'
import { packageRoot } from '../src/std/package-root.js'
import { Random } from '../src/std/random.js'
import { millrace } from './program.js'
import type { Context, Measured } from './row.js'
import { spreadOf } from './statistics.js'

const CONFIG = 'bench/resume.yaml'
const SCRATCH = '.data/bench/resume'
const ITEMS = 1000
const START_MS = 1_704_067_200_000

export async function measureResume({ quick, repeats, say }: Context): Promise<Measured> {
  const users = quick ? 100_000 : 1_000_000
  const name = `.data/bench/log-users${quick ? '-quick' : ''}`
  await writeUsers(join(packageRoot(), name), users)
  say(`resume: learning ${users.toLocaleString('en')} users once`)
  const replay = async (...more: string[]) => {
    const finished = await millrace('replay', CONFIG, '--json', '--set', `source.log=../${name}`, ...more)
    return { ...finished, summary: JSON.parse(finished.stdout) as RunSummary }
  }
  const { summary } = await replay()
  const rows = summary.tableRows.rows ?? 0
  if (rows < users) throw new Error(`the checkpoint has ${rows} rows instead of ${users}`)
  const runs = []
  for (let run = 1; run <= repeats; run++) {
    say(`resume: run ${run} of ${repeats}`)
    const resumed = await replay('--resume')
    if (resumed.summary.tableRows.rows !== rows) throw new Error('not all rows came back')
    runs.push(resumed)
  }
  await rm(join(packageRoot(), SCRATCH), { recursive: true, force: true })
  return {
    figures: [
      {
        name: 'seconds',
        format: 'seconds',
        value: spreadOf(runs.map(({ seconds }) => seconds)),
        limit: { better: 'lower', reach: 10, strive: 2 },
      },
    ],
    details: {
      rows,
      restoreSeconds: spreadOf(runs.map(run => (run.summary.durationsMs.resume ?? Number.NaN) / 1000)),
      maxRssMiB: spreadOf(runs.map(({ maxRssBytes }) => maxRssBytes / 2 ** 20)),
    },
  }
}

/** One rating of every user, a second apart. */
async function writeUsers(path: string, users: number): Promise<void> {
  if (existsSync(path)) return
  const partial = `${path}.partial`
  const writer = createLogWriter({ path: partial, partitions: 1 })
  const random = new Random(3)
  for (let user = 0; user < users; user++) {
    writer.write(0, 'rating', {
      eventId: `r${user}`,
      eventTime: START_MS + user * 1000,
      user: `user-${user}`,
      item: `item-${random.integer(ITEMS)}`,
      value: 1 + random.integer(5),
    })
  }
  writer.close()
  await rename(partial, path)
}

/** The newest published version, reconstructed and verified as a late reader would do it, and what there is to say of it. */
import type { LoadedConfig } from '../config/load.js'
import { MillraceError } from '../domain/errors.js'
import { createKeptPart } from '../snapshot/kept-parts.js'
import { SnapshotReader } from '../snapshot/reader.js'
import type { Clock } from '../std/clock.js'
import { snapshotPlace } from './snapshot-records.js'

export interface SnapshotDescription {
  place: string
  version: number
  /** It rests on the full snapshot of this version and so many deltas behind it; their bytes together. */
  full: number
  deltas: number
  chainBytes: number
  eventTime: string
  /** Wall-clock time since then. */
  ageMs: number
  configHash: string
  /** Whether that is the model of the configuration asked about. */
  isOfConfiguration: boolean
  checksum: string
  offsets: { partition: string; offset: string }[]
  metrics: Record<string, number>
  parts: {
    name: string
    form: string
    encoding: string
    rows: number
    bytes: number
    changed: number
    removed: number
  }[]
  /** Versions in the output, those that could not be had, and whether another has begun behind them. */
  seen: { versions: number; gaps: number; isMoreComing: boolean }
}

/** SNAPSHOT_NOT_FOUND: none is published. SNAPSHOT_CORRUPT: the newest one can not be reconstructed. */
export async function describeNewest(loaded: LoadedConfig, clock: Clock): Promise<SnapshotDescription> {
  const place = snapshotPlace(loaded)
  const parts = new Map<string, ReturnType<typeof createKeptPart>>()
  const reader = new SnapshotReader(part => {
    const kept = createKeptPart(part)
    parts.set(part.name, kept)
    return kept
  })
  let gap: { version: number; reason: string } | undefined
  const seen = { versions: 0, gaps: 0, isMoreComing: false }
  await place.read(record => {
    const step = reader.take(record)
    if (step.kind === 'more') return
    seen.versions++
    if (step.kind === 'gap') seen.gaps++
    gap = step.kind === 'gap' ? step : step.kind === 'taken' ? undefined : gap
  })
  seen.isMoreComing = reader.isInMiddle
  const { held } = reader
  if (gap !== undefined) {
    const newest = held === undefined ? 'no version can be' : `the newest that can be is ${held.version}`
    throw new MillraceError(
      'SNAPSHOT_CORRUPT',
      `version ${gap.version} in ${place.name} can not be reconstructed: ${gap.reason}; ${newest}`,
    )
  }
  if (held === undefined) throw new MillraceError('SNAPSHOT_NOT_FOUND', `there is no whole version in ${place.name}`)
  const { manifest, version, full, deltas, bytes } = held
  return {
    place: place.name,
    version,
    full,
    deltas,
    chainBytes: bytes,
    eventTime: new Date(manifest.eventTime).toISOString(),
    ageMs: clock.nowMs() - manifest.eventTime,
    configHash: manifest.configHash,
    isOfConfiguration: [loaded, ...loaded.challengers].some(({ hash }) => hash === manifest.configHash),
    checksum: manifest.checksum,
    offsets: manifest.offsets.map(({ partition, offset }) => ({ partition, offset })),
    metrics: { ...manifest.metrics },
    parts: manifest.parts.map(({ name, form, encoding, rows, changed, removed }) => {
      return { name, form, encoding, rows, bytes: parts.get(name)?.bytes ?? 0, changed, removed }
    }),
    seen,
  }
}

/**
 * Event logs that are made rather than found: simulated shops and imported CSV files. A log is made in NAME.partial and
 * renamed when it is whole, so that an interrupted making is never taken for a log.
 */
import { existsSync } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { LoadedConfig } from '../config/load.js'
import { MillraceError } from '../domain/errors.js'
import { type ImportSummary, importCsv } from '../import/import-csv.js'
import { loadMapping } from '../import/mapping-file.js'
import { type SimulateOptions, type SimulationSummary, simulateShop } from '../simulate/simulate.js'
import { createTruthWriter, TRUTH_FILE } from '../simulate/truth.js'
import { createLogWriter } from '../sink/log-writer.js'

export type MakingProgress = (records: number, share: number) => void

/** The folder of the configured log, or the names of its topics; if the folder is not there, it is imported or simulated when the configuration says how, and begins empty where events are posted to it. */
export async function prepareLog({ config, folder, file }: LoadedConfig, onProgress: MakingProgress): Promise<string> {
  const { source } = config
  if (source.kafka !== undefined) return source.kafka.topics.join(', ')
  const path = resolve(folder, source.log)
  if (existsSync(path)) return path
  if (source.import !== undefined)
    await importLog(resolve(folder, source.import.file), resolve(folder, source.import.mapping), path, onProgress)
  else if (source.simulate !== undefined) await simulateLog(source.simulate, path, onProgress)
  else if (config.http.ingest && source.follow) await makeLog(path, partial => mkdir(join(partial, 'p00')))
  else throw new MillraceError('LOG_NOT_FOUND', `${path} is not there (source.log of ${file})`)
  return path
}

export async function simulateLog(
  options: SimulateOptions,
  path: string,
  onProgress: MakingProgress,
): Promise<SimulationSummary> {
  return makeLog(path, async partial => {
    const writer = createLogWriter({ path: partial, partitions: options.partitions })
    const truth = createTruthWriter(join(partial, TRUTH_FILE))
    const summary = await simulateShop(options, writer, (records, total) => onProgress(records, records / total), truth)
    writer.close()
    await truth.close()
    return summary
  })
}

export async function importLog(
  file: string,
  mappingFile: string,
  path: string,
  onProgress: MakingProgress,
): Promise<ImportSummary> {
  if (!existsSync(file))
    throw new MillraceError('LOG_NOT_FOUND', `${file} is not there; it should be imported into ${path}`)
  const mapping = loadMapping(mappingFile)
  return makeLog(path, async partial => {
    const writer = createLogWriter({ path: partial, partitions: mapping.mapping.partitions })
    const summary = await importCsv({ file, mapping, writer, scratch: join(partial, 'scratch'), onProgress })
    writer.close()
    return summary
  })
}

/** Made in NAME.partial and renamed when it is whole: an interrupted making is never taken for a log. */
export async function makeLog<T>(path: string, make: (partial: string) => Promise<T>): Promise<T> {
  const partial = `${path}.partial`
  await rm(partial, { recursive: true, force: true })
  await mkdir(partial, { recursive: true })
  const made = await make(partial)
  await mkdir(dirname(path), { recursive: true })
  await rename(partial, path)
  return made
}

// Starts a broker and a registry once and keeps their classes, so that each later start takes half the CPU time. For
// scripts/provision-kafka; what is there already stays. Without the archives everything works, more slowly.
import { existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  brokerConfig,
  brokerReady,
  classArchives,
  formatBroker,
  freePort,
  launchBroker,
  launchRegistry,
  registryReady,
  stopProcess,
} from './kafka-process.mjs'

/** Writing an archive is what a process does last. */
const STOPS_WITHIN_MS = 180_000

const starts = {
  async broker(folder, archive) {
    const [port, controllerPort] = [await freePort(), await freePort()]
    const config = brokerConfig({ id: 1, brokerPorts: [port], controllerPorts: [controllerPort] })
    await formatBroker(folder, { clusterId: 'classesOfTheBroker0000', config })
    launchBroker(folder, { brief: true, archive })
    await brokerReady(folder, port)
  },
  async registry(folder, archive) {
    const port = await freePort()
    launchRegistry(folder, { port, archive })
    await registryReady(folder, port)
  },
}

for (const [name, start] of Object.entries(starts)) {
  const place = classArchives[name]
  if (existsSync(place)) continue
  const folder = mkdtempSync(join(tmpdir(), 'millrace-classes-'))
  const part = `${place}.partial-${process.pid}`
  try {
    await start(folder, part)
    await stopProcess(folder, { deadlineMs: STOPS_WITHIN_MS })
    renameSync(part, place)
  } finally {
    await stopProcess(folder, { signal: 'SIGKILL' })
    rmSync(folder, { recursive: true, force: true })
    rmSync(part, { force: true })
  }
}

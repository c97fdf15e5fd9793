/** `millrace serve` as a process of its own over a folder of snapshots, and clients that keep their connections. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { AvroFileSink } from '../src/sink/avro-file.js'
import { type SnapshotRecord, snapshotRecord } from '../src/sink/output-records.js'
import { packageRoot } from '../src/std/package-root.js'
import { SERVE_CONFIG } from './serve-world.js'

export interface ServedProcess {
  url: string
  stop(): Promise<void>
}

export async function serveFolder(records: readonly SnapshotRecord[]): Promise<ServedProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-'))
  mkdirSync(join(folder, 'out/snapshots'), { recursive: true })
  writeFileSync(join(folder, 'serve.yaml'), SERVE_CONFIG)
  const path = join(folder, 'out/snapshots')
  const sink = new AvroFileSink({
    path,
    schema: 'snapshot',
    toRecord: snapshotRecord,
    codec: 'null',
    segmentBytes: 2 ** 40,
  })
  for (const record of records) sink.append({ key: '', record } as never)
  await sink.flush()
  await sink.close()
  const args = [join(packageRoot(), 'dist/cli.js'), 'serve', join(folder, 'serve.yaml'), '--set', 'http.port=0']
  const child: ChildProcess = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr?.setEncoding('utf8').on('data', text => {
    said += text
  })
  const ended = new Promise<void>(resolve => child.once('close', () => resolve()))
  const stop = async () => {
    child.kill('SIGTERM')
    await ended
    rmSync(folder, { recursive: true, force: true })
  }
  while (child.exitCode === null) {
    const url = /"url":"(http:[^"]+)"/.exec(said)?.[1]
    if (url !== undefined && (await fetch(`${url}/v1/model`)).status === 200) return { url, stop }
    await sleep(50)
  }
  await stop()
  throw new Error(`serve has ended: ${said}`)
}

/** So many connections, each with its next request as soon as the last one is answered. Milliseconds of every request. */
export async function load(url: string, bodies: readonly string[], connections: number, seconds: number) {
  const agent = new Agent({ keepAlive: true, maxSockets: connections })
  const times: number[] = []
  let failed = 0
  const end = performance.now() + seconds * 1000
  let nth = 0
  const client = async () => {
    while (performance.now() < end) {
      const start = performance.now()
      const status = await post(agent, url, bodies[nth++ % bodies.length] ?? '')
      times.push(performance.now() - start)
      if (status !== 200) failed++
    }
  }
  await Promise.all(Array.from({ length: connections }, client))
  agent.destroy()
  return { times, failed, perSecond: times.length / seconds }
}

function post(agent: Agent, url: string, body: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
    const sent = request(url, { method: 'POST', agent, headers }, response => {
      response.resume()
      response.once('end', () => resolve(response.statusCode ?? 0))
    })
    sent.once('error', reject)
    sent.end(body)
  })
}

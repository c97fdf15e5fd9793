/**
 * Real brokers and a real registry for tests, from the jars of scripts/provision-kafka. Everything listens on 127.0.0.1
 * on ports of its own and keeps its data in a folder of its own. A reaper holds a pipe to this process: however the test
 * ends, also by kill -9, what it started is killed and its folder removed.
 *
 * stop() what a test has started (t.after), so that no two clusters run at once longer than they must.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Admin, Kafka, logLevel } from 'kafkajs'
import { packageRoot } from '../../src/std/package-root.js'
import { type Secured, secure } from './kafka-security.js'
import { until } from './until.js'

export { until }

interface Launcher {
  isProvisioned(): boolean
  freePort(): Promise<number>
  brokerConfig(options: {
    id: number
    brokerPorts: number[]
    controllerPorts: number[]
    listeners?: Record<string, number>
    protocols?: Record<string, string>
  }): Record<string, unknown>
  formatBroker(
    folder: string,
    options: { clusterId: string; config: Record<string, unknown>; scram?: string[] },
  ): Promise<void>
  launchBroker(folder: string, options: { heap: string; brief: boolean }): number
  launchRegistry(folder: string, options: { port: number; storage: 'memory' | 'disk' }): number
  registryUrl(port: number): string
  brokerReady(folder: string, port: number): Promise<void>
  registryReady(folder: string, port: number): Promise<void>
  stopProcess(folder: string, options?: { signal?: string }): Promise<void>
  processIn(folder: string): number | undefined
}

const script = pathToFileURL(join(packageRoot(), 'scripts/kafka-process.mjs')).href
const launcher = (await import(script)) as Launcher

export const freePort = (): Promise<number> => launcher.freePort()

/** For `{ skip: kafkaSkip }`: false, or the reason. */
export const kafkaSkip: false | string = launcher.isProvisioned()
  ? false
  : 'Kafka is not provisioned (scripts/provision-kafka)'

export interface BrokerOptions {
  /** One node is a broker and controller; three make a cluster that survives the loss of one. */
  nodes?: number
  heap?: string
  /** Of minutes, as tests are (default), or compiled as one that lasts: for measurements. */
  brief?: boolean
  /** Additional or other settings of server.properties. */
  config?: Record<string, string | number | boolean>
  /** Listeners with TLS, mutual TLS and SASL, users, and an authoriser: see kafka-security.ts. One node only. */
  secured?: boolean
}

export interface Broker {
  /** Without encryption or authentication; on a secured broker this is the super user. */
  brokers: string[]
  /** Of a secured broker: its other listeners, certificates and users. */
  security: Secured | undefined
  dir: string
  admin(): Promise<Admin>
  /** Creates a topic and waits until each partition has its leader and all replicas. */
  createTopic(topic: string, options?: TopicOptions): Promise<void>
  /** Nodes are counted from 0. */
  kill9(node: number): Promise<void>
  /** Stops a node in order; restart() brings it back. */
  shutDown(node: number): Promise<void>
  /** Starts a node whose process has ended, on its data and its port. */
  restart(node: number): Promise<void>
  isAlive(node: number): boolean
  stop(): Promise<void>
}

export interface TopicOptions {
  partitions?: number
  config?: Record<string, string>
}

export async function startBroker(options: BrokerOptions = {}): Promise<Broker> {
  const { nodes = 1, heap = nodes === 1 ? '320m' : '256m', config = {}, secured = false, brief = true } = options
  const dir = mkdtempSync(join(tmpdir(), 'millrace-kafka-'))
  const reaper = startReaper(dir)
  const brokerPorts = await ports(nodes)
  const controllerPorts = await ports(nodes)
  const security = secured ? await secure(dir, launcher.freePort) : undefined
  const folders = brokerPorts.map((_, i) => join(dir, `node${i}`))
  const clusterId = `m${randomBytes(16).toString('base64url').slice(1)}`
  const launch = (node: number) => launcher.launchBroker(at(folders, node), { heap, brief })
  const ready = (node: number) => launcher.brokerReady(at(folders, node), at(brokerPorts, node))
  const isAlive = (node: number) => launcher.processIn(at(folders, node)) !== undefined
  const clients = new Set<Admin>()

  const admin = async () => {
    const client = new Kafka({
      brokers,
      clientId: 'test-admin',
      logLevel: logLevel.NOTHING,
      retry: { initialRetryTime: 100, retries: 15 },
    }).admin()
    await client.connect()
    clients.add(client)
    return client
  }
  const brokers = brokerPorts.map(port => `127.0.0.1:${port}`)
  const stop = async () => {
    await Promise.all([...clients].map(client => client.disconnect().catch(() => undefined)))
    await Promise.all(folders.map(folder => launcher.stopProcess(folder)))
    rmSync(dir, { recursive: true, force: true })
    reaper.stdin?.end()
  }

  try {
    await Promise.all(
      folders.map((folder, i) => {
        const listeners = security === undefined ? {} : { listeners: security.ports, protocols: security.protocols }
        const base = launcher.brokerConfig({ id: i + 1, brokerPorts, controllerPorts, ...listeners })
        return launcher.formatBroker(folder, {
          clusterId,
          // Records of tests may be older than any retention, and go when a slow test lasts for minutes.
          config: { ...base, 'log.retention.ms': -1, ...security?.config, ...config },
          ...(security === undefined ? {} : { scram: security.scram }),
        })
      }),
    )
    folders.forEach((_, i) => void launch(i))
    await Promise.all(folders.map((_, i) => ready(i)))
    if (nodes > 1) await whole(await admin(), nodes)
  } catch (error) {
    await stop()
    throw error
  }
  return {
    brokers,
    security,
    dir,
    admin,
    createTopic: async (topic, topicOptions) => createTopic(await (first(clients) ?? admin()), topic, topicOptions),
    kill9: node => launcher.stopProcess(at(folders, node), { signal: 'SIGKILL' }),
    shutDown: node => launcher.stopProcess(at(folders, node)),
    restart: async node => {
      if (isAlive(node)) throw new Error(`node ${node} has not ended`)
      launch(node)
      await ready(node)
    },
    isAlive,
    stop,
  }
}

export interface Registry {
  /** Base address of Confluent's REST API. Global compatibility is BACKWARD. */
  url: string
  /** At once; restart() brings it back on the same port. Only with `storage: 'disk'` it then still knows its schemas. */
  kill(): Promise<void>
  restart(): Promise<void>
  stop(): Promise<void>
}

export async function startRegistry({ storage = 'memory' as 'memory' | 'disk' } = {}): Promise<Registry> {
  const dir = mkdtempSync(join(tmpdir(), 'millrace-registry-'))
  const reaper = startReaper(dir)
  const folder = join(dir, 'registry')
  mkdirSync(folder)
  const port = await launcher.freePort()
  // Its store gives up after five seconds, and the registry with it: where the machine is busy, a later try succeeds.
  const start = async (tries = 3): Promise<void> => {
    launcher.launchRegistry(folder, { port, storage })
    await launcher.registryReady(folder, port).catch(error => {
      if (tries === 1 || launcher.processIn(folder) !== undefined) throw error
      return start(tries - 1)
    })
  }
  const stop = async () => {
    await launcher.stopProcess(folder)
    rmSync(dir, { recursive: true, force: true })
    reaper.stdin?.end()
  }
  try {
    await start()
  } catch (error) {
    await stop()
    throw error
  }
  return {
    url: launcher.registryUrl(port),
    kill: () => launcher.stopProcess(folder, { signal: 'SIGKILL' }),
    restart: () => start(),
    stop,
  }
}

export async function createTopic(admin: Admin, topic: string, { partitions = 1, config = {} }: TopicOptions = {}) {
  const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }))
  // waitForLeaders throws on clusters where the metadata of a broker are a little behind: poll instead.
  const request = { waitForLeaders: false, topics: [{ topic, numPartitions: partitions, configEntries }] }
  // A request whose answer came too late may be made again: what is there already is no error.
  await until(`topic ${topic} is created`, () => admin.createTopics(request).then(() => true))
  await until(`topic ${topic} is there`, async () => {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
    const found = topics[0]?.partitions ?? []
    return found.length === partitions && found.every(one => one.leader >= 0 && one.isr.length === one.replicas.length)
  })
}

/** Until every partition has its replicas again: min.insync.replicas is 2, and a second loss would stop the topics. */
export async function inSync(broker: Broker): Promise<void> {
  const admin = await broker.admin()
  await until('the replicas are in sync', async () => {
    const { topics } = await admin.fetchTopicMetadata()
    const partitions = topics.flatMap(topic => topic.partitions)
    return partitions.length > 0 && partitions.every(({ isr, replicas }) => isr.length === replicas.length)
  })
}

const whole = (admin: Admin, nodes: number) =>
  until(`${nodes} brokers know each other`, async () => (await admin.describeCluster()).brokers.length === nodes)

/** Outlives this process by the moment that it needs to clean up after it. */
function startReaper(dir: string): ChildProcess {
  const program = 'cat >/dev/null; cat "$1"/*/pid 2>/dev/null | while read -r pid; do kill -9 "$pid"; done; rm -rf "$1"'
  const reaper = spawn('sh', ['-c', program, 'reaper', dir], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  reaper.unref()
  // A pipe to a child is a socket, which holds the event loop unless it is told not to.
  ;(reaper.stdin as unknown as { unref(): void }).unref()
  return reaper
}

async function ports(count: number): Promise<number[]> {
  const found: number[] = []
  while (found.length < count) found.push(await launcher.freePort())
  return found
}

function at<T>(list: readonly T[], index: number): T {
  const one = list[index]
  if (one === undefined) throw new Error(`there is no node ${index}`)
  return one
}

const first = <T>(set: Set<T>): T | undefined => set.values().next().value

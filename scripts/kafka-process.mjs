/**
 * Starts and stops what scripts/provision-kafka has put into the cache: brokers (KRaft, broker and controller in one
 * process) and the registry. `npm run kafka` and the tests share it. Every folder holds one process: its configuration,
 * its data, its log, and its process id, by which it can be found again after whoever started it is gone.
 */
import { execFile, spawn } from 'node:child_process'
import {
  appendFileSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createConnection, createServer } from 'node:net'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'millrace', 'kafka')
export const kafkaJars = join(cache, 'kafka-4.3.1')
const registryFolder = join(cache, 'apicurio-3.0.9')
const registryJar = join(registryFolder, 'apicurio-registry-app-3.0.9-runner.jar')

/** Classes as the Java machine has them in memory: a broker is up in half the CPU time, a registry too. See provision-kafka. */
export const classArchives = { broker: join(cache, 'kafka-4.3.1.jsa'), registry: join(cache, 'apicurio-3.0.9.jsa') }

const LOGGING = ['defaultLogLevel=warn', 'showDateTime=true'].map(one => `-Dorg.slf4j.simpleLogger.${one}`)

export const isProvisioned = () => existsSync(kafkaJars) && existsSync(registryJar)

const drawn = new Set()

/**
 * Below the range that the kernel gives to connections, so that nothing takes the port of a broker that is down. Never
 * one twice: the first may not be listened on yet.
 */
export async function freePort() {
  for (;;) {
    const port = 12_000 + Math.floor(Math.random() * 20_000)
    if (drawn.has(port)) continue
    drawn.add(port)
    if (await isFree(port)) return port
  }
}

export const isFree = port =>
  new Promise(resolve => {
    const server = createServer().on('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })

/** Writes a broker's configuration and formats its data folder; a folder that is formatted already keeps its data. */
export async function formatBroker(folder, { clusterId, config, scram = [] }) {
  mkdirSync(folder, { recursive: true })
  const file = join(folder, 'server.properties')
  const settings = { 'log.dirs': join(folder, 'data'), ...config }
  writeFileSync(
    file,
    Object.entries(settings)
      .map(([key, value]) => `${key}=${value}\n`)
      .join(''),
    { mode: 0o600 },
  )
  if (existsSync(join(folder, 'data', 'meta.properties'))) return
  const users = scram.flatMap(user => ['--add-scram', user])
  const args = ['format', '-t', clusterId, '-c', file, ...users]
  const flags = [
    '-Xmx128m',
    '-XX:+UseSerialGC',
    '-XX:TieredStopAtLevel=1',
    ...archived(classArchives.broker),
    ...LOGGING,
  ]
  const jvm = [...flags, '-cp', `${kafkaJars}/*`]
  await new Promise((resolve, reject) => {
    execFile('java', [...jvm, 'kafka.tools.StorageTool', ...args], (error, stdout, stderr) =>
      error === null ? resolve() : reject(new Error(`the broker's folder can not be formatted:\n${stdout}${stderr}`)),
    )
  })
}

/** What one broker that is alone, or one of a few, needs to start fast and to stay small. `ports` is one a node. */
export function brokerConfig({ id, brokerPorts, controllerPorts, listeners = {}, protocols = {} }) {
  const nodes = brokerPorts.length
  const replicas = Math.min(nodes, 3)
  const own = { PLAINTEXT: brokerPorts[id - 1], ...listeners }
  const addresses = host => Object.entries(own).map(([name, port]) => `${name}://${host(name)}:${port}`)
  // Certificates are for a name: TLS has none to send for an address.
  const advertised = addresses(name => (name === 'PLAINTEXT' ? '127.0.0.1' : 'localhost'))
  const map = { PLAINTEXT: 'PLAINTEXT', CONTROLLER: 'PLAINTEXT', ...protocols }
  return {
    'process.roles': 'broker,controller',
    'node.id': id,
    'controller.quorum.voters': controllerPorts.map((port, i) => `${i + 1}@127.0.0.1:${port}`).join(','),
    listeners: [...addresses(() => '127.0.0.1'), `CONTROLLER://127.0.0.1:${controllerPorts[id - 1]}`].join(','),
    'advertised.listeners': advertised.join(','),
    'listener.security.protocol.map': Object.entries(map)
      .map(pair => pair.join(':'))
      .join(','),
    'inter.broker.listener.name': 'PLAINTEXT',
    'controller.listener.names': 'CONTROLLER',
    'auto.create.topics.enable': false,
    'default.replication.factor': replicas,
    'min.insync.replicas': Math.max(1, replicas - 1),
    'offsets.topic.replication.factor': replicas,
    'offsets.topic.num.partitions': 5,
    'transaction.state.log.replication.factor': replicas,
    'transaction.state.log.min.isr': Math.max(1, replicas - 1),
    'transaction.state.log.num.partitions': 5,
    'group.initial.rebalance.delay.ms': 0,
    'num.network.threads': 2,
    'num.io.threads': 4,
    'log.cleaner.dedupe.buffer.size': 16_777_216,
    'log.cleaner.backoff.ms': 500,
  }
}

/**
 * brief: of minutes. Without the second compiler the first 20 s take 5 s of CPU instead of 8. archive: its classes are
 * written there when it stops.
 */
export function launchBroker(folder, { heap = '384m', brief = false, archive } = {}) {
  return launch(folder, [
    `-Xms${heap}`,
    `-Xmx${heap}`,
    '-XX:+UseSerialGC',
    ...(brief ? ['-XX:TieredStopAtLevel=1'] : []),
    ...archived(classArchives.broker, archive),
    '-Djava.net.preferIPv4Stack=true',
    ...LOGGING,
    '-cp',
    `${kafkaJars}/*`,
    'kafka.Kafka',
    join(folder, 'server.properties'),
  ])
}

/** `storage`: 'memory', or 'disk' beside the log, so that ids outlive a restart. */
export function launchRegistry(folder, { port, storage = 'memory', heap = '256m', archive }) {
  mkdirSync(folder, { recursive: true })
  const onDisk = {
    APICURIO_STORAGE_KIND: 'sql',
    APICURIO_STORAGE_SQL_KIND: 'h2',
    // Otherwise the last half second before a kill is lost, and ids are given twice.
    APICURIO_DATASOURCE_URL: `jdbc:h2:file:${join(folder, 'registry')};WRITE_DELAY=0`,
    APICURIO_DATASOURCE_USERNAME: 'sa',
    APICURIO_DATASOURCE_PASSWORD: 'sa',
  }
  const jvm = ['-Xms64m', `-Xmx${heap}`, '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1']
  const flags = [...jvm, ...archived(classArchives.registry, archive)]
  const quarkus = ['-Dquarkus.http.host=127.0.0.1', `-Dquarkus.http.port=${port}`, '-Dquarkus.log.level=WARN']
  return launch(folder, [...flags, ...quarkus, '-jar', registryJar], {
    APICURIO_REST_ARTIFACT_DELETION_ENABLED: 'true',
    ...(storage === 'disk' ? onDisk : {}),
  })
}

export const registryUrl = port => `http://127.0.0.1:${port}/apis/ccompat/v7`

/** Flags to write an archive, or to use the one that is there; one of another Java or other jars is passed over by itself. */
function archived(file, written) {
  if (written !== undefined) return [`-XX:ArchiveClassesAtExit=${written}`]
  return existsSync(file) ? [`-XX:SharedArchiveFile=${file}`] : []
}

function launch(folder, args, env = {}) {
  const log = openSync(join(folder, 'process.log'), 'a')
  // Detached: Ctrl-C in the terminal of a test reaches whoever started it, who then stops it in order.
  // With performance data a JVM works in another folder for a moment at its start, where it would not be known as ours.
  const child = spawn('java', ['-XX:-UsePerfData', ...args], {
    cwd: folder,
    detached: true,
    stdio: ['ignore', log, log],
    env: { ...process.env, ...env },
  })
  closeSync(log)
  child.on('exit', (code, signal) => {
    if (existsSync(folder))
      appendFileSync(join(folder, 'process.log'), `the process ended: code ${code}, signal ${signal}\n`)
  })
  child.unref()
  if (child.pid === undefined) throw new Error('java is not installed')
  writeFileSync(join(folder, 'pid'), `${child.pid}\n`)
  return child.pid
}

export function processIn(folder) {
  const file = join(folder, 'pid')
  const pid = existsSync(file) ? Number(readFileSync(file, 'utf8')) : undefined
  return pid !== undefined && isAlive(pid) && worksIn(pid, folder) ? pid : undefined
}

/** After a restart of the machine the number may be that of any program: ours was started in its folder. */
function worksIn(pid, folder) {
  if (!existsSync('/proc/self/cwd')) return true
  try {
    return readlinkSync(`/proc/${pid}/cwd`) === realpathSync(folder)
  } catch {
    return false
  }
}

/** An ApiVersions round trip: a connection alone says only that the port is bound. */
const brokerAnswers = port => () =>
  new Promise(resolve => {
    const request = Buffer.from([0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 255, 255])
    const socket = createConnection(port, '127.0.0.1', () => socket.write(request))
    const done = answer => {
      socket.destroy()
      resolve(answer)
    }
    socket.setTimeout(1000, () => done(false))
    socket.on('error', () => done(false))
    socket.on('close', () => done(false))
    socket.on('data', data => done(data.length > 10))
  })

/** Ready, and with the compatibility that Confluent's has; Apicurio's own default is NONE. */
const registryAnswers = port => () =>
  fetch(`${registryUrl(port)}/config`, {
    method: 'PUT',
    headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
    body: '{"compatibility":"BACKWARD"}',
  }).then(
    response => response.ok,
    () => false,
  )

export const brokerReady = (folder, port) => ready(folder, brokerAnswers(port))
export const registryReady = (folder, port) => ready(folder, registryAnswers(port))

async function ready(folder, answers, deadlineMs = 300_000) {
  const end = Date.now() + deadlineMs
  // Another program may answer on that port, so the process must be there too.
  while (!(await answers()) || processIn(folder) === undefined) {
    const log = () => readFileSync(join(folder, 'process.log'), 'utf8').slice(-3000)
    if (processIn(folder) === undefined) {
      // How it ended is told, and logged, a moment later.
      await sleep(200)
      throw new Error(`the process in ${folder} has ended:\n${log()}`)
    }
    if (Date.now() > end) throw new Error(`the process in ${folder} does not answer:\n${log()}`)
    await sleep(50)
  }
}

/** In order where it can be: SIGTERM, and SIGKILL for one that takes too long. Resolves when it is gone. */
export async function stopProcess(folder, { signal = 'SIGTERM', deadlineMs = 20_000 } = {}) {
  const pid = processIn(folder)
  if (pid !== undefined) {
    process.kill(pid, signal)
    const end = Date.now() + deadlineMs
    while (isAlive(pid)) {
      if (Date.now() > end) process.kill(pid, 'SIGKILL')
      await sleep(20)
    }
  }
  rmSync(join(folder, 'pid'), { force: true })
}

function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch (error) {
    // Without /proc (macOS) the signal alone has to do.
    return error.code === 'ENOENT' && error.syscall === 'open'
  }
}

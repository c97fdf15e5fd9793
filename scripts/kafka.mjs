// `npm run kafka -- start | stop | status | consume TOPIC`: a real broker and a schema registry for people without Docker,
// and Kafka's console consumer. They listen where the learner looks for them: KAFKA_BROKERS and SCHEMA_REGISTRY_URL, or
// the usual ports. Data stay in .data/kafka (MILLRACE_KAFKA_DATA) until that folder is removed.
import { spawn, spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  brokerConfig,
  brokerReady,
  formatBroker,
  isFree,
  isProvisioned,
  kafkaJars,
  launchBroker,
  launchRegistry,
  processIn,
  registryReady,
  registryUrl,
  stopProcess,
} from './kafka-process.mjs'

const root = resolve(fileURLToPath(import.meta.url), '../..')
const data = resolve(process.env.MILLRACE_KAFKA_DATA ?? join(root, '.data/kafka'))
const port = Number(/^127\.0\.0\.1:(\d+)$/.exec(process.env.KAFKA_BROKERS ?? '')?.[1] ?? 9092)
const broker = { folder: join(data, 'broker'), port, controllerPort: port + 1 }
const registryPort = /^http:\/\/127\.0\.0\.1:(\d+)/.exec(process.env.SCHEMA_REGISTRY_URL ?? '')?.[1]
const registry = { folder: join(data, 'registry'), port: Number(registryPort ?? 8081) }

const commands = { start, stop, status, consume }
const command = commands[process.argv[2] ?? '']
if (command === undefined) {
  console.error('usage: npm run kafka -- start | stop | status | consume TOPIC [options of the console consumer]')
  process.exit(2)
}
await command().catch(error => {
  console.error(error.message)
  process.exitCode = 1
})

async function start() {
  if (!isProvisioned()) {
    const { status } = spawnSync(join(root, 'scripts/provision-kafka'), { stdio: 'inherit' })
    if (status !== 0) throw new Error('scripts/provision-kafka has failed')
  }
  // Both or none.
  await mustBeFree(broker.folder, broker.port, broker.controllerPort)
  await mustBeFree(registry.folder, registry.port)
  await Promise.all([startBroker(), startRegistry()])
  await status()
}

async function startBroker() {
  if (processIn(broker.folder) === undefined) {
    const config = brokerConfig({ id: 1, brokerPorts: [broker.port], controllerPorts: [broker.controllerPort] })
    await formatBroker(broker.folder, { clusterId: clusterId(), config })
    launchBroker(broker.folder)
  }
  await brokerReady(broker.folder, broker.port)
}

/** Its store gives up after five seconds, and the registry with it: where the machine is busy, a later try succeeds. */
async function startRegistry(tries = 3) {
  if (processIn(registry.folder) === undefined) {
    launchRegistry(registry.folder, { port: registry.port, storage: 'disk' })
  }
  await registryReady(registry.folder, registry.port).catch(error => {
    if (tries === 1 || processIn(registry.folder) !== undefined) throw error
    return startRegistry(tries - 1)
  })
}

async function mustBeFree(folder, ...ports) {
  if (processIn(folder) !== undefined) return
  for (const port of ports)
    if (!(await isFree(port)))
      throw new Error(`port ${port} is taken by another program, perhaps another broker or registry`)
}

/** Kafka's form of an id: 16 bytes as URL-safe base64. It counts only where the folder is not formatted yet. */
function clusterId() {
  return Buffer.from(randomUUID().replaceAll('-', ''), 'hex').toString('base64url').replace(/^-/, 'm')
}

async function stop() {
  await Promise.all([stopProcess(registry.folder), stopProcess(broker.folder)])
  await status()
}

/** Kafka's own console consumer: committed messages of a topic from its beginning, one a line. */
async function consume() {
  const [topic, ...options] = process.argv.slice(3)
  if (topic === undefined) throw new Error('usage: npm run kafka -- consume TOPIC')
  const print = ['partition', 'offset', 'timestamp', 'key'].map(name => `print.${name}=true`)
  const tool = [
    'org.apache.kafka.tools.consumer.ConsoleConsumer',
    ...['--bootstrap-server', `127.0.0.1:${broker.port}`, '--topic', topic],
    ...['--from-beginning', '--isolation-level', 'read_committed'],
    ...print.flatMap(property => ['--formatter-property', property]),
  ]
  const logging = '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn'
  const flags = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', logging, '-cp', `${kafkaJars}/*`]
  const child = spawn('java', [...flags, ...tool, ...options], { stdio: 'inherit' })
  process.exitCode = await new Promise(done => child.on('close', code => done(code ?? 0)))
}

async function status() {
  const pids = [broker, registry].map(({ folder }) => processIn(folder))
  const [brokerPid, registryPid] = pids
  const text = (pid, address) => (pid === undefined ? 'stopped' : `${address}  (process ${pid})`)
  console.log(`broker    ${text(brokerPid, `127.0.0.1:${broker.port}`)}`)
  console.log(`registry  ${text(registryPid, registryUrl(registry.port))}`)
  console.log(`data      ${data}`)
  if (process.argv[2] === 'status' && pids.includes(undefined)) process.exitCode = 1
}

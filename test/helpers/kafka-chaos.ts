/**
 * The whole learner under faults: three brokers, a registry, a simulated log on its way to topics, the program as users
 * run it with topics at both ends, exactly-once. Learners are killed (-9) anywhere, brokers are killed, second instances
 * join, leave, take over, and sleep while they are replaced, the registry goes away. Then kafka-chaos-judge.ts says what
 * came of it. All choices are drawn from the seed; when they hit is up to the machine.
 */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Admin } from 'kafkajs'
import { stringify } from 'yaml'
import { configSchema } from '../../src/config/schema.js'
import { planTopics } from '../../src/config/topic-plan.js'
import { Random } from '../../src/std/random.js'
import { type Broker, inSync, type Registry, startBroker, startRegistry, until } from './kafka.js'
import { ChaosFeed } from './kafka-chaos-feed.js'
import { Fleet, type Instance } from './kafka-chaos-fleet.js'
import { judge, type Verdict } from './kafka-chaos-judge.js'
import { millrace, start } from './process.js'
import { smallConfig } from './small-config.js'

export interface ChaosOptions {
  seed: number
  learnerKills?: number
  brokerKills?: number
  rebalances?: number
  registryOutages?: number
  events?: number
  say?(line: string): void
}

export interface ChaosReport extends Verdict {
  seed: number
  faults: Record<'learnerKills' | 'brokerKills' | 'rebalances' | 'registryOutages', number>
  records: number
  /** Instances that ended by themselves in a way that nobody has to expect. */
  failures: string[]
  /** From kill -9 of the one that learned until the one that stood by was live, in these conditions. */
  takeoversMs: number[]
  seconds: number
}

const VISITS = 'chaos.visits'
const PROFILES = 'chaos.profiles'
const OUTPUTS = {
  predictions: 'chaos.predictions',
  recommendations: 'chaos.recommendations',
  metrics: 'chaos.metrics',
  snapshots: 'chaos.snapshots',
  journal: 'chaos.journal',
  deadLetters: 'chaos.dlq',
}
const GROUP = 'chaos'
const FEED = { partitions: 4, topics: { visits: VISITS, profiles: PROFILES } }
const BROKER_SETTINGS = {
  // How long a cluster takes to notice a loss; 9 s is Kafka's default.
  'broker.session.timeout.ms': 4000,
  'broker.heartbeat.interval.ms': 1000,
  'group.min.session.timeout.ms': 1000,
}

export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const { seed, learnerKills = 20, brokerKills = 5, rebalances = 5, registryOutages = 3, say = () => {} } = options
  const beganMs = performance.now()
  const seconds = () => Math.round((performance.now() - beganMs) / 1000)
  const tell = (line: string) => say(`${String(seconds()).padStart(4)} s  ${line}`)
  const stack: (() => unknown)[] = []
  try {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-chaos-'))
    stack.push(() => rmSync(folder, { recursive: true, force: true }))
    const broker = await startBroker({ nodes: 3, config: BROKER_SETTINGS })
    stack.push(() => broker.stop())
    const registry = await startRegistry({ storage: 'disk' })
    stack.push(() => registry.stop())
    const file = await prepare(folder, broker, registry, { sessionTimeout: '4s', idleTimeout: '700ms' })
    const feed = await ChaosFeed.open(broker.brokers, registry.url, {
      ...FEED,
      seed,
      events: options.events ?? 40_000,
      versions: registryOutages + 1,
    })
    stack.push(() => feed.close())
    tell(`seed ${seed}: ${feed.total} records, brokers and registry are up`)

    const fleet = new Fleet(file)
    stack.push(() => fleet.destroy())
    fleet.supervise()
    const total = learnerKills + brokerKills + rebalances + registryOutages
    let done = 0
    const count = (what: string) => tell(`${String(++done).padStart(2)}/${total} ${what}`)
    // Some of the log at once, some behind the last fault, the rest as the faults go on.
    const feeding = feed.run(
      () => (done < total ? 0.05 + (0.85 * (done + 0.5)) / total : 1),
      () => (done < total ? 100 : 5),
    )
    await fleet.untilLive()
    const takeoversMs: number[] = []
    await Promise.all([
      disturbLearners(fleet, new Random(seed), { learnerKills, rebalances, takeoversMs, count }),
      disturbBrokers(broker, new Random(seed + 1), { brokerKills, count }),
      disturbRegistry(registry, new Random(seed + 2), { registryOutages, count, feed }),
    ])
    await feeding
    await fleet.alone()
    tell(`all faults are over, ${feed.retries} chunks were sent twice; waiting until everything is learned`)
    const admin = await broker.admin()
    await until('everything is learned', () => isLearned(admin))
    const failures = await fleet.stop()
    await lastCheckpoint(folder, file)
    tell('replaying what the journal tells of')
    const replayed = await millrace(['replay', file, '--journal', '--json'])
    if (replayed.code !== 0) failures.push(`replay --journal: ${replayed.stderr.slice(-1500)}`)
    const verdict = await judge({
      brokers: broker.brokers,
      inputs: [VISITS],
      outputs: OUTPUTS,
      live: join(folder, 'checkpoints'),
      replayed: join(folder, 'checkpoints-replay'),
      replayedOutputs: join(folder, 'out-replay'),
    })
    return {
      ...verdict,
      seed,
      faults: { learnerKills, brokerKills, rebalances, registryOutages },
      records: feed.total,
      failures,
      takeoversMs,
      seconds: seconds(),
    }
  } finally {
    for (const undo of stack.reverse()) await undo()
  }
}

/**
 * How long it takes from kill -9 of the one that learns until the one that stands by has learned everything committed
 * again and publishes; with the default session timeout, on one broker, while records come in.
 */
export async function measureTakeover(times: number, say: (line: string) => void = () => {}): Promise<number[]> {
  const stack: (() => unknown)[] = []
  try {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-takeover-'))
    stack.push(() => rmSync(folder, { recursive: true, force: true }))
    const broker = await startBroker()
    stack.push(() => broker.stop())
    const registry = await startRegistry()
    stack.push(() => registry.stop())
    const file = await prepare(folder, broker, registry, {})
    const feed = await ChaosFeed.open(broker.brokers, registry.url, { ...FEED, seed: 1, events: 30_000, versions: 1 })
    stack.push(() => feed.close())
    const fleet = new Fleet(file)
    stack.push(() => fleet.destroy())
    fleet.start()
    void feed.run(
      () => 1,
      () => 200,
    )
    const tookMs: number[] = []
    while (tookMs.length < times) {
      await takesOver(fleet, new Random(1), tookMs)
      say(`took over in ${((tookMs.at(-1) ?? 0) / 1000).toFixed(1)} s`)
    }
    return tookMs
  } finally {
    for (const undo of stack.reverse()) await undo()
  }
}

/** Topics and the configuration's file. */
async function prepare(
  folder: string,
  broker: Broker,
  registry: Registry,
  reading: { sessionTimeout?: string; idleTimeout?: string },
): Promise<string> {
  const config = {
    ...smallConfig,
    name: 'chaos',
    kafka: { brokers: broker.brokers, registry: { url: registry.url } },
    source: { kafka: { topics: [VISITS, PROFILES], group: GROUP, ...reading } },
    // Twenty days pass in two minutes: where one partition waits for its broker, others are far ahead, and are right.
    join: { ...smallConfig.join, maxFuture: '30d' },
    batch: { maxExamples: 128, tick: '1h', linger: '150ms' },
    checkpoint: { path: 'checkpoints', everyEvents: 4000, every: '6s', keep: 3 },
    outputs: {
      path: 'out',
      metricsEvery: 2000,
      snapshotEverySteps: 200,
      kafka: { ...OUTPUTS, transactionalId: 'chaos', commitEvery: '150ms' },
    },
  }
  await broker.createTopic(VISITS, { partitions: 4 })
  await broker.createTopic(PROFILES, { partitions: 2 })
  for (const { topic, partitions, settings } of planTopics(configSchema.parse(config)))
    await broker.createTopic(topic, { partitions: partitions === 'as-input' ? 4 : partitions, config: settings })
  const file = join(folder, 'millrace.yaml')
  writeFileSync(file, stringify(config))
  return file
}

interface LearnerFaults {
  learnerKills: number
  rebalances: number
  takeoversMs: number[]
  count(what: string): void
}

type Rebalance = (fleet: Fleet, random: Random, takeoversMs: number[]) => Promise<string>

async function disturbLearners(fleet: Fleet, random: Random, faults: LearnerFaults): Promise<void> {
  const { learnerKills, rebalances, takeoversMs, count } = faults
  const turns: ('kill' | Rebalance)[] = [
    ...Array.from({ length: learnerKills }, () => 'kill' as const),
    ...Array.from({ length: rebalances }, (_, index) => REBALANCES[index % REBALANCES.length] ?? joinsAndLeaves),
  ]
  shuffle(turns, random)
  for (const turn of turns) {
    if (turn !== 'kill') {
      count(await turn(fleet, random, takeoversMs))
      continue
    }
    // Some are killed wherever they are, also while they start or learn again; the others when they publish.
    const isAnywhere = random.uniform() < 0.4
    if (!isAnywhere) await fleet.untilLive()
    await sleep(random.uniform() * (isAnywhere ? 4000 : 2500))
    const victim = fleet.active ?? fleet.alive[0]
    await victim?.run.kill('SIGKILL')
    count(`a learner was killed${isAnywhere ? ', wherever it was' : ' while it published'}`)
  }
}

/** A second instance stands by and leaves again. */
async function joinsAndLeaves(fleet: Fleet, random: Random): Promise<string> {
  await fleet.untilLive()
  const guest = fleet.start()
  await fleet.untilMember(guest)
  await sleep(random.uniform() * 1000)
  await guest.run.kill(random.uniform() < 0.5 ? 'SIGTERM' : 'SIGKILL')
  return 'a second instance joined and left'
}

/** The one that learns leaves in order, and the other goes on. */
async function handsOver(fleet: Fleet): Promise<string> {
  const [first, second] = await pair(fleet)
  await first.run.kill('SIGTERM')
  await fleet.untilLive()
  return `an instance handed over to ${second.isAlive ? 'the other' : 'another'}`
}

async function takesOver(fleet: Fleet, _random: Random, takeoversMs: number[]): Promise<string> {
  const [first, second] = await pair(fleet)
  const killedMs = performance.now()
  await first.run.kill('SIGKILL')
  await until('the second is live', () => second.isLive || !second.isAlive)
  const tookMs = performance.now() - killedMs
  if (second.isLive) takeoversMs.push(tookMs)
  return `the standby took over after kill -9, in ${(tookMs / 1000).toFixed(1)} s`
}

/** The one that learns sleeps while the other takes over, and wakes up believing that nothing has happened. */
async function sleepsAndWakes(fleet: Fleet): Promise<string> {
  const [first, second] = await pair(fleet)
  process.kill(first.pid, 'SIGSTOP')
  try {
    await until('the second is live', () => second.isLive || !second.isAlive)
  } finally {
    process.kill(first.pid, 'SIGCONT')
  }
  await until('only one of them goes on', () => [first, second].filter(one => one.isLive).length === 1)
  await fleet.alone()
  return 'an instance was replaced while it slept, and woke up'
}

const REBALANCES: Rebalance[] = [joinsAndLeaves, takesOver, handsOver, sleepsAndWakes, takesOver]

/** One that learns and one that stands by. */
async function pair(fleet: Fleet): Promise<[Instance, Instance]> {
  for (;;) {
    const first = await fleet.alone()
    const second = fleet.start()
    await fleet.untilMember(second)
    if (first.isActive && second.isAlive && !second.isActive) return [first, second]
  }
}

async function disturbBrokers(
  broker: Broker,
  random: Random,
  { brokerKills, count }: { brokerKills: number; count(what: string): void },
): Promise<void> {
  for (let kill = 0; kill < brokerKills; kill++) {
    await sleep(4000 + random.uniform() * 8000)
    const node = (kill + random.integer(2)) % 3
    await broker.kill9(node)
    await sleep(random.uniform() * 8000)
    await broker.restart(node)
    await inSync(broker)
    count(`broker ${node} was killed and came back`)
  }
}

async function disturbRegistry(
  registry: Registry,
  random: Random,
  { registryOutages, count, feed }: { registryOutages: number; count(what: string): void; feed: ChaosFeed },
): Promise<void> {
  for (let outage = 0; outage < registryOutages; outage++) {
    await sleep(8000 + random.uniform() * 15_000)
    await registry.kill()
    // Schemas that the learner must ask for, and can not.
    feed.version++
    await sleep(3000 + random.uniform() * 5000)
    await registry.restart()
    count('the registry was away')
  }
}

/** Whether the group's offsets are at the ends of the topics. */
async function isLearned(admin: Admin): Promise<boolean> {
  const committed = await admin.fetchOffsets({ groupId: GROUP, topics: [VISITS, PROFILES] })
  for (const { topic, partitions } of committed) {
    const ends = new Map((await admin.fetchTopicOffsets(topic)).map(({ partition, high }) => [partition, high]))
    if (partitions.length < ends.size || partitions.some(one => one.offset !== ends.get(one.partition))) return false
  }
  return true
}

/**
 * A checkpoint holds what was learned of its records when it was written; the clock may have closed a batch behind it since.
 * So the newest one goes, and one more start learns up to the journal's end and keeps that.
 */
async function lastCheckpoint(folder: string, file: string): Promise<void> {
  const root = join(folder, 'checkpoints')
  const newest = readdirSync(root)
    .filter(name => /^checkpoint-\d+$/.test(name))
    .sort()
    .at(-1)
  if (newest !== undefined) rmSync(join(root, newest), { recursive: true })
  const run = start(['run', file, '--json', '--set', 'checkpoint.every=1d', 'checkpoint.everyEvents=1000000000'])
  await run.until(() => run.stderr.includes('reading goes on live'), 50)
  await run.kill('SIGTERM')
}

function shuffle<T>(list: T[], random: Random): void {
  for (let index = list.length - 1; index > 0; index--) {
    const other = random.integer(index + 1)
    const [a, b] = [list[index] as T, list[other] as T]
    list[index] = b
    list[other] = a
  }
}

/** The program as users run it, on topics of its own, watched from outside: by its group's offsets and by /proc. */
import { existsSync, readdirSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { packageRoot } from '../src/std/package-root.js'
import { Running } from '../test/helpers/process.js'
import { benchFolder, type KafkaWorld } from './kafka-world.js'
import { type Spent, spentBetween, usageOf } from './thread-usage.js'

export const KAFKA_CONFIG = 'bench/kafka.yaml'
const OUTPUTS = ['predictions', 'recommendations', 'metrics', 'snapshots', 'journal', 'deadLetters'] as const

export interface Learner {
  name: string
  predictions: string
  snapshots: string
  settings: string[]
  process: Running
  /** Resolves when it stands, and nothing is read yet: the first checkpoint is written then. */
  begun(): Promise<void>
  stop(): Promise<void>
}

/** Settings for topics, group and folders that nobody else uses; the output topics are there afterwards. */
export async function prepare(
  world: KafkaWorld,
  topic: string,
  more: readonly string[] = [],
): Promise<{ name: string; settings: string[] }> {
  const name = world.fresh('run')
  const settings = [
    `kafka.brokers=[${world.brokers}]`,
    `kafka.registry.url=${world.registry}`,
    `source.kafka.topics=[${topic}]`,
    `source.kafka.group=${name}`,
    `outputs.kafka.transactionalId=${name}`,
    `outputs.path=${join(benchFolder, name, 'out')}`,
    `checkpoint.path=${join(benchFolder, name, 'checkpoints')}`,
    `evaluate.report=${join(benchFolder, name, 'report.html')}`,
    ...OUTPUTS.map(output => `outputs.kafka.${output}=${name}.${output}`),
    ...more,
  ]
  await rm(join(benchFolder, name), { recursive: true, force: true })
  const args = ['topics', 'create', KAFKA_CONFIG, '--inputs', '--partitions', '4', '--set', ...settings]
  const made = await cli(args).finished
  if (made.code !== 0) throw new Error(`topics create: ${made.stderr.slice(-500)}`)
  return { name, settings }
}

/** As it is published, and as docs/kafka.md says for much traffic. */
const cli = (args: readonly string[]) =>
  new Running(process.execPath, [join(packageRoot(), 'dist/cli.js'), ...args], {
    cwd: packageRoot(),
    env: { NODE_OPTIONS: '--max-semi-space-size=64' },
  })

export function startLearner({ name, settings }: { name: string; settings: string[] }): Learner {
  const checkpoints = join(benchFolder, name, 'checkpoints')
  const args = ['run', KAFKA_CONFIG, '--set', ...settings]
  const running = cli(args)
  return {
    name,
    predictions: `${name}.predictions`,
    snapshots: `${name}.snapshots`,
    settings,
    process: running,
    begun: () =>
      running.until(() => existsSync(checkpoints) && readdirSync(checkpoints).some(file => !file.endsWith('.tmp')), 10),
    async stop() {
      const { code, stderr } = await running.kill('SIGTERM')
      if (code !== 0) throw new Error(`the learner ended with ${code}: ${stderr.slice(-1000)}`)
      await rm(join(benchFolder, name), { recursive: true, force: true })
    },
  }
}

export interface WholePath {
  eventsPerSecond: number
  /** Microseconds of CPU an event. */
  cpu: { all: number; outsideLearning: number; learning: number; broker: number }
}

/** All of the prepared log, from nothing read to everything predicted and committed. */
export async function learnPrepared(world: KafkaWorld): Promise<WholePath> {
  const learner = startLearner(await prepare(world, world.log.ours))
  try {
    await learner.begun()
    const pid = learner.process.child.pid ?? 0
    const brokerBefore = brokerSeconds(world)
    const before = usageOf(pid)
    const beganMs = performance.now()
    const admin = await world.broker.admin()
    for (;;) {
      if (learner.process.ended) throw new Error(`the learner ended: ${learner.process.stderr.slice(-1000)}`)
      const [topic] = await admin.fetchOffsets({ groupId: learner.name, topics: [world.log.ours] })
      const committed = topic?.partitions.reduce((sum, { offset }) => sum + Math.max(0, Number(offset)), 0) ?? 0
      if (committed >= world.events) break
      await sleep(25)
    }
    const seconds = (performance.now() - beganMs) / 1000
    const spent = spentBetween(pid, before, usageOf(pid))
    const broker = brokerSeconds(world) - brokerBefore
    return { eventsPerSecond: world.events / seconds, cpu: perEvent(spent, broker, world.events) }
  } finally {
    await learner.stop()
  }
}

function perEvent({ seconds, worker }: Spent, broker: number, events: number): WholePath['cpu'] {
  const micros = (part: number) => (part / events) * 1e6
  return {
    all: micros(seconds),
    outsideLearning: micros(seconds - worker),
    learning: micros(worker),
    broker: micros(broker),
  }
}

const brokerSeconds = ({ brokerPid }: KafkaWorld): number => usageOf(brokerPid).seconds

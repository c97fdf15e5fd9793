/** The rows of `npm run bench:kafka`, in the table's order, with the numbers to reach. */
import { learnPrepared, prepare, startLearner, type WholePath } from './kafka-learner.js'
import { type PeerStage, runPeer } from './kafka-peer.js'
import { type Published, type PythonProgram, readPredictions, readSnapshots, type Seen } from './kafka-python.js'
import { type KafkaWorld, PARTITIONS } from './kafka-world.js'
import { benchProgram } from './program.js'
import type { Context, Measured, RowDefinition } from './row.js'
import type { StageResult } from './stage.js'
import { spreadOf } from './statistics.js'

/** A throughput measurement takes at least so many rounds. */
const ROUNDS = 3
const PACE = 5000
const PACE_SECONDS = 40
/** Both sides warm up, and the group is joined. */
const SKIP_SECONDS = 12

export function createKafkaRows(world: (context: Context) => Promise<KafkaWorld>): RowDefinition[] {
  const throughput = once(async context => measureThroughput(await world(context), context))
  return [
    {
      name: 'throughput',
      what: 'Kafka in → learned → one prediction an event out, MMoE, 10 slots × 16, batch 1024, exactly once',
      measure: async context => {
        const { whole, peer, ratio, stages } = await throughput(context)
        return {
          figures: [
            {
              name: 'events/s',
              format: 'count',
              value: spreadOf(whole.map(({ eventsPerSecond }) => eventsPerSecond)),
              limit: { better: 'higher', reach: 30_000, strive: 45_000 },
            },
            {
              name: '÷ peer',
              format: 'ratio',
              value: spreadOf(ratio),
              limit: { better: 'higher', reach: 1, strive: 1.5 },
            },
          ],
          details: { peer: spreadOf(peer), stages },
        }
      },
    },
    {
      name: 'cpu',
      what: 'CPU per event outside the learning thread, µs',
      measure: async context => {
        const { whole, cpu } = await throughput(context)
        return {
          figures: [
            {
              name: 'µs',
              format: 'micros',
              value: spreadOf(whole.map(run => run.cpu.outsideLearning)),
              limit: { better: 'lower', reach: 25, strive: 14 },
            },
          ],
          details: cpu,
        }
      },
    },
    {
      name: 'latency',
      what: `event → its prediction readable (read_committed), at ${PACE.toLocaleString('en')} events/s`,
      measure: async context => measureLatency(await world(context), context),
    },
    {
      name: 'deltas',
      what: `event → in a published delta, at ${PACE.toLocaleString('en')} events/s, a delta every second`,
      measure: async context => measureDeltas(await world(context), context),
    },
  ]
}

interface Throughput {
  whole: WholePath[]
  peer: number[]
  ratio: number[]
  stages: unknown
  cpu: unknown
}

async function measureThroughput(world: KafkaWorld, context: Context): Promise<Throughput> {
  const rounds = Math.max(ROUNDS, context.repeats)
  const whole: WholePath[] = []
  const peer: number[] = []
  const consume: StageResult[] = []
  const main: StageResult[] = []
  const peerStages: Partial<Record<PeerStage, number>> = {}
  for (let round = 1; round <= rounds; round++) {
    context.say(`throughput: round ${round} of ${rounds}`)
    whole.push(await learnPrepared(world))
    peer.push(await runPeer(world))
    context.say(`${Math.round(whole.at(-1)?.eventsPerSecond ?? 0)} events/s, the peer ${Math.round(peer.at(-1) ?? 0)}`)
  }
  for (let round = 1; round <= (context.quick ? 1 : ROUNDS); round++) {
    context.say(`throughput: stages, round ${round}`)
    consume.push(await stage(world, 'consume'))
    main.push(await stage(world, 'main'))
  }
  for (const name of ['consume', 'decode', 'features', 'train'] as const) peerStages[name] = await runPeer(world, name)
  const ratio = whole.map(({ eventsPerSecond }, round) => eventsPerSecond / (peer[round] ?? Number.NaN))
  const eventsPerSecond = (results: readonly StageResult[]) => spreadOf(results.map(one => one.records / one.seconds))
  const micros = (results: readonly StageResult[]) => spreadOf(results.map(one => (one.cpuSeconds / one.records) * 1e6))
  const parts = ['all', 'outsideLearning', 'learning', 'broker'] as const
  return {
    whole,
    peer,
    ratio,
    stages: {
      ours: {
        consumeAndDecode: eventsPerSecond(consume),
        withInstantLearner: eventsPerSecond(main),
        everything: spreadOf(whole.map(run => run.eventsPerSecond)),
      },
      peer: { ...peerStages, all: spreadOf(peer) },
    },
    cpu: {
      wholeRun: Object.fromEntries(parts.map(part => [part, spreadOf(whole.map(run => run.cpu[part]))])),
      consumeAndDecode: micros(consume),
      withInstantLearner: micros(main),
    },
  }
}

async function stage(world: KafkaWorld, name: string): Promise<StageResult> {
  const { settings } = await prepare(world, world.log.ours)
  const { stdout } = await benchProgram('kafka-stage.js', name, String(world.events), ...settings)
  return JSON.parse(stdout) as StageResult
}

async function measureLatency(world: KafkaWorld, { quick, say }: Context): Promise<Measured> {
  const seconds = quick ? 20 : PACE_SECONDS
  const runs: Seen[] = []
  for (let run = 1; run <= (quick ? 1 : ROUNDS); run++) {
    say(`latency: run ${run}`)
    const seen = await whilePaced<Seen>(world, seconds, [], ({ predictions }) =>
      readPredictions(world.options.cache, world.broker.brokers, predictions, watching(seconds)),
    )
    if (seen.predictions !== PACE * seconds || seen.distinct !== seen.predictions)
      throw new Error(`${PACE * seconds} events, ${seen.predictions} predictions of ${seen.distinct} events`)
    runs.push(seen)
  }
  const p50 = spreadOf(runs.map(run => run.p50))
  const p99 = spreadOf(runs.map(run => run.p99))
  return {
    figures: [
      { name: 'p50', format: 'seconds', value: p50, limit: { better: 'lower', reach: 0.5, strive: 0.2 } },
      { name: 'p99', format: 'seconds', value: p99, limit: { better: 'lower', reach: 1.5, strive: 1.5 } },
    ],
    details: runs,
  }
}

async function measureDeltas(world: KafkaWorld, { quick, say }: Context): Promise<Measured> {
  const seconds = quick ? 20 : PACE_SECONDS
  const runs: Published[] = []
  for (let run = 1; run <= (quick ? 1 : ROUNDS); run++) {
    say(`deltas: run ${run}`)
    const published = await whilePaced<Published>(world, seconds, ['outputs.deltaEvery=1s'], ({ snapshots, events }) =>
      readSnapshots(world.options.cache, world.broker.brokers, { events, snapshots }, watching(seconds)),
    )
    if (published.deltas === 0 || published.unpublished > 0)
      throw new Error(`${published.deltas} deltas, ${published.unpublished} events in none of them`)
    runs.push(published)
  }
  const p99 = spreadOf(runs.map(run => run.p99))
  return {
    figures: [{ name: 'p99', format: 'seconds', value: p99, limit: { better: 'lower', reach: 5, strive: 2 } }],
    details: runs,
  }
}

/** Longer than events come: all of them have to be seen. */
const watching = (seconds: number) => ({ seconds: seconds + 10, skipSeconds: SKIP_SECONDS })

/** A learner of its own, events at an even pace, and a program that watches what comes out. */
async function whilePaced<T>(
  world: KafkaWorld,
  seconds: number,
  settings: readonly string[],
  watch: (topics: { events: string; predictions: string; snapshots: string }) => PythonProgram,
): Promise<T> {
  const events = world.fresh('paced')
  await world.broker.createTopic(events, { partitions: PARTITIONS })
  const learner = startLearner(await prepare(world, events, settings))
  try {
    await learner.begun()
    const watcher = watch({ events, predictions: learner.predictions, snapshots: learner.snapshots })
    await watcher.begun()
    const pace = [PARTITIONS, world.schemaId, PACE, seconds].map(String)
    await benchProgram('kafka-pace.js', world.brokers, events, ...pace)
    return await watcher.result<T>()
  } finally {
    await learner.stop()
  }
}

function once<T>(measure: (context: Context) => Promise<T>): (context: Context) => Promise<T> {
  let result: Promise<T> | undefined
  return context => (result ??= measure(context))
}

/**
 * The peer: one Python process of confluent-kafka, fastavro and PyTorch on the same events, that joins, keeps and
 * guarantees nothing. Its script is not part of this repository.
 */
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { packageRoot } from '../src/std/package-root.js'
import { kafkaPython, PythonProgram, packagesOf } from './kafka-python.js'
import type { KafkaWorld } from './kafka-world.js'
import { NotMeasured } from './row.js'

const SCRIPT = 'peer_pipeline.py'
const BATCH = 1024
const THREADS = 2

/** Stages as the script names them; each does what those before it do. */
export type PeerStage = 'consume' | 'decode' | 'features' | 'train' | 'all'

/** Events a second, as it says itself: from its first events to the last delivered prediction. */
export async function runPeer(world: KafkaWorld, stage: PeerStage = 'all'): Promise<number> {
  const { python, cache, peers = join(packageRoot(), '../shared/peers') } = world.options
  const script = resolve(peers, SCRIPT)
  if (!existsSync(script)) throw new NotMeasured(`${SCRIPT} is not there; --peers FOLDER says where it is`)
  if (!existsSync(python)) throw new NotMeasured('no PyTorch; scripts/provision-torch installs it')
  const args = [script, world.brokers, world.log.peer, world.fresh('peer'), world.events, BATCH, THREADS, stage]
  const PYTHONPATH = await packagesOf(kafkaPython(cache))
  const program = new PythonProgram(python, args.map(String), { PYTHONPATH })
  return (await program.result<{ events_per_s: number }>()).events_per_s
}

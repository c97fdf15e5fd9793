/**
 * Entry of the learning worker. A step blocks its thread, so it must never share one with a Kafka heartbeat or with the
 * reading of the log. Commands are handled strictly one after another. After a failure nothing more is learned: every
 * later command fails too, so that no output can follow a lost step.
 */
import { join } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import { createBackend } from '../backend/choose.js'
import { MillraceError } from '../domain/errors.js'
import type { NamedPart, SnapshotKind } from '../domain/state.js'
import { viewSlab } from '../features/columns.js'
import type { SnapshotAnswer } from '../pipeline/learner.js'
import { readPart, writePart } from '../snapshot/part-file.js'
import { encodePublished } from '../snapshot/publication.js'
import { Learner } from './learner.js'
import type { Answer, Command, WorkerStart } from './protocol.js'

const port = parentPort
if (port === null) throw new MillraceError('INTERNAL', 'the learning worker is not a program of its own')
const { config, lane } = workerData as WorkerStart

let failure: Answer | undefined
const send = (answer: Answer, transfer: ArrayBuffer[] = []) => port.postMessage(answer, transfer)

function failureOf(error: unknown): Answer {
  const known = error instanceof MillraceError
  return {
    kind: 'failure',
    code: known ? error.code : 'INTERNAL',
    message: (error as Error).message,
    stack: (error as Error).stack,
  }
}

async function start(): Promise<(command: Command) => Promise<unknown>> {
  const backend = await createBackend(config.backend)
  const learner = await Learner.create(config, backend)
  send({ kind: 'ready', backend: backend.description })
  return async command => {
    switch (command.kind) {
      case 'slab':
        return learner.addSlab(viewSlab(command.buffer, learner.columns, lane))
      case 'score':
        return learner.score(command.command)
      case 'learn':
        return learner.learn(command.command)
      case 'erase':
        return learner.erase(command.user)
      case 'begin':
        return learner.begin(command.step)
      case 'metrics':
        return learner.metrics()
      case 'calibration':
        return learner.calibration()
      case 'snapshot':
        return snapshotOf(learner, command.of, command.parts)
      case 'save': {
        const files = []
        for (const [name, state] of Object.entries(await learner.saveState()))
          files.push(await writePart(command.folder, `${command.prefix}${name}`, state))
        return files
      }
      case 'load':
        return learner.loadState(async own => {
          const name = `${command.prefix}${own}`
          const part = command.parts.find(part => part.name === name)
          if (part === undefined)
            throw new MillraceError(
              'CHECKPOINT_INCOMPATIBLE',
              `${join(command.folder, 'manifest.json')} lists no part '${name}'`,
            )
          return readPart(command.folder, part)
        })
      case 'close':
        await learner.close()
        await backend.close()
        return undefined
    }
  }
}

/** The main thread's parts are encoded here too: it has other things to do. */
async function snapshotOf(learner: Learner, kind: SnapshotKind, beside: readonly NamedPart[]): Promise<SnapshotAnswer> {
  const parts = [...(await learner.publish(kind)), ...beside]
  return { parts: parts.map(([name, published]) => encodePublished(name, published)), metrics: learner.figures() }
}

const ready = start().catch(error => {
  failure = failureOf(error)
  send(failure)
})

let turn: Promise<unknown> = ready
port.on('message', (command: Command) => {
  turn = turn.then(async () => {
    const handle = await ready
    try {
      if (failure !== undefined || handle === undefined) return
      const value = await handle(command)
      if (command.kind === 'slab') return
      // A snapshot may be large, and is not needed here any more.
      const parts = command.kind === 'snapshot' ? (value as SnapshotAnswer).parts : []
      send(
        { kind: 'answer', value },
        parts.map(({ bytes }) => bytes.buffer),
      )
    } catch (error) {
      failure = failureOf(error)
      send(failure)
    } finally {
      if (command.kind === 'close') port.close()
    }
  })
})

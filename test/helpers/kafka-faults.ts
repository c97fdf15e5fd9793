/**
 * Sockets for kafkajs that fail where a test wants it: a request that is lost on its way, or one that arrives and whose
 * answer is lost. To the client both look the same.
 */
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** Kafka's numbers of requests. */
export const API = { produce: 0, addPartitions: 24, endTransaction: 26 } as const

/** How long a broker may take to handle a request whose answer is lost. */
const HANDLING_MS = 700
const API_KEY_AT = 4

export interface Fault {
  api: number
  lose: 'request' | 'answer'
  /** So many times. */
  times: number
}

export class FaultySockets {
  #faults: Fault[] = []
  /** Faults that have happened. */
  happened = 0

  arm(...faults: Fault[]): void {
    this.#faults = faults
  }

  /** kafkajs' socketFactory. */
  readonly create = ({ host, port, onConnect }: { host: string; port: number; onConnect: () => void }): Socket => {
    const socket = connect({ host, port }, onConnect)
    const write = socket.write.bind(socket) as (...args: unknown[]) => boolean
    socket.write = ((bytes: Buffer, ...rest: unknown[]) => {
      const fault = this.#faults.find(
        ({ api, times }) => times > 0 && api === Buffer.from(bytes).readInt16BE(API_KEY_AT),
      )
      if (fault === undefined) return write(bytes, ...rest)
      fault.times--
      this.happened++
      if (fault.lose === 'request') {
        socket.destroy(reset())
        return false
      }
      socket.pause()
      socket.removeAllListeners('data')
      void sleep(HANDLING_MS).then(() => socket.destroy(reset()))
      return write(bytes, ...rest)
    }) as Socket['write']
    return socket
  }
}

/** Only an error is news to the client: it overlooks sockets that just close. */
const reset = () => Object.assign(new Error('connection reset'), { code: 'ECONNRESET' })

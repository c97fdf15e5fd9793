/**
 * Why no coordinator was found. The client asks each broker, swallows what they say, and then reports only that it found none, so
 * that a missing permission looks like an outage. What they said stands in its debug log, which is listened to here.
 */
import type { KafkaConnection, KafkaLogEntry } from '../config/kafka-connection.js'

const SAID = 'Tried to find group coordinator'
/** kafkajs' number. */
const DEBUG = 5

export interface CoordinatorErrors {
  /** The same connection, listened to. */
  connection: KafkaConnection
  /** The broker's own error in the place of one that says nothing. */
  explain(error: unknown): unknown
}

export function listenForCoordinatorErrors(connection: KafkaConnection): CoordinatorErrors {
  let last: unknown
  const listen = () => {
    const log = connection.logCreator()
    return (entry: KafkaLogEntry) => {
      if (entry.log.message === SAID) last = entry.log.error
      if (entry.level <= connection.logLevel) log(entry)
    }
  }
  return {
    connection: { ...connection, logLevel: DEBUG, logCreator: listen },
    explain: error => (isCoordinatorNotFound(error) ? (last ?? error) : error),
  }
}

function isCoordinatorNotFound(error: unknown): boolean {
  const { name, cause } = error as { name?: string; cause?: unknown }
  return name === 'KafkaJSGroupCoordinatorNotFound' || (cause instanceof Error && isCoordinatorNotFound(cause))
}

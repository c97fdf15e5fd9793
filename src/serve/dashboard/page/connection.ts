/**
 * The stream of changes. It is read with fetch, because an EventSource can not send an API key. When it ends it is begun
 * again, from the last change that was seen; when nothing comes for longer than the server's heartbeat, it is given up
 * and begun again too.
 */
import type { Changes } from '../../telemetry/status.js'
import { authorization } from './api.js'

export type Line = 'connecting' | 'open' | 'lost' | 'refused'

const SILENCE_MS = 25_000
const FIRST_WAIT_MS = 500
const LONGEST_WAIT_MS = 8000

export function follow(
  onChange: (kind: keyof Changes, data: never) => void,
  onLine: (line: Line, detail: string) => void,
): { again(): void } {
  let lastId: string | undefined
  let waitMs = FIRST_WAIT_MS
  let timer = 0
  onLine('connecting', '')

  async function read(): Promise<void> {
    const abort = new AbortController()
    let watchdog = 0
    const heard = () => {
      clearTimeout(watchdog)
      watchdog = setTimeout(() => abort.abort(), SILENCE_MS)
    }
    try {
      heard()
      const headers = { ...authorization(), ...(lastId === undefined ? {} : { 'last-event-id': lastId }) }
      const response = await fetch('/v1/stream', { headers, signal: abort.signal, cache: 'no-store' })
      if (response.status === 401 || response.status === 403) return onLine('refused', await response.text())
      if (!response.ok || response.body === null) throw new Error(`the server answered ${response.status}`)
      onLine('open', '')
      waitMs = FIRST_WAIT_MS
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
      let text = ''
      for (let part = await reader.read(); !part.done; part = await reader.read()) {
        heard()
        text += part.value
        const messages = text.split('\n\n')
        text = messages.pop() ?? ''
        for (const message of messages) take(message)
      }
      throw new Error('the server has ended the stream')
    } catch (error) {
      onLine('lost', (error as Error).message)
      timer = setTimeout(read, waitMs)
      waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS)
    } finally {
      clearTimeout(watchdog)
    }
  }

  function take(message: string): void {
    let kind = ''
    let data = ''
    for (const line of message.split('\n')) {
      if (line.startsWith('id: ')) lastId = line.slice(4)
      else if (line.startsWith('event: ')) kind = line.slice(7)
      else if (line.startsWith('data: ')) data += line.slice(6)
    }
    if (kind !== '') onChange(kind as keyof Changes, JSON.parse(data) as never)
  }

  void read()
  return {
    again() {
      clearTimeout(timer)
      void read()
    },
  }
}

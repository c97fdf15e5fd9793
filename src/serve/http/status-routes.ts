/**
 * GET /v1/status: everything the dashboard shows. GET /v1/stream: the same as server-sent events, first all of it (or,
 * with Last-Event-ID, what was missed), then each change; a comment now and then says that the line is open.
 */
import { Readable } from 'node:stream'
import { z } from 'zod'
import { statusSchema } from '../telemetry/status.js'
import type { Change, Telemetry } from '../telemetry/telemetry.js'
import type { HttpPlugin } from './plugin.js'
import { HttpProblem } from './problem.js'

const HEARTBEAT_MS = 10_000
const MAX_STREAMS = 64
/** A reader that is so far behind is let go; it will ask again and get what is then. */
const MAX_WAITING_BYTES = 4 << 20

export function statusRoutes(telemetry: Telemetry): HttpPlugin {
  let streams = 0
  return async app => {
    app.get(
      '/v1/status',
      { schema: { summary: 'What the instance does, and how well it learns', response: { 200: statusSchema } } },
      async () => telemetry.status(),
    )
    app.get(
      '/v1/stream',
      {
        schema: {
          summary: 'The same as server-sent events',
          description:
            'The event `status` holds everything; `now`, `pace`, `window`, `calibration`, `alarm`, `snapshot` and `about` hold the part of it that is new.',
          headers: z.object({ 'last-event-id': z.string().optional() }),
          produces: ['text/event-stream'],
        },
      },
      async (request, reply) => {
        if (streams >= MAX_STREAMS)
          throw new HttpProblem(503, `${MAX_STREAMS} streams are open`, { 'retry-after': '5' })
        streams++
        const stream = streamOf(telemetry, request.headers['last-event-id'])
        stream.once('close', () => streams--)
        request.raw.once('close', () => stream.destroy())
        return reply.type('text/event-stream').header('x-accel-buffering', 'no').send(stream)
      },
    )
  }
}

function streamOf(telemetry: Telemetry, lastId: string | undefined): Readable {
  const stream = new Readable({ read() {} })
  const push = (text: string) => {
    if (stream.readableLength > MAX_WAITING_BYTES) stream.destroy()
    else stream.push(text)
  }
  // The numbers of another process mean nothing here.
  const { epoch } = telemetry
  const send = ({ id, kind, text }: Change) => push(`id: ${epoch}-${id}\nevent: ${kind}\ndata: ${text}\n\n`)
  const [from, last] = lastId?.split('-') ?? []
  const missed = from === String(epoch) && /^\d{1,15}$/.test(last ?? '') ? telemetry.since(Number(last)) : undefined
  push('retry: 1000\n\n')
  if (missed !== undefined) for (const change of missed) send(change)
  else {
    const status = telemetry.status()
    send({ id: status.id, kind: 'status', text: JSON.stringify(status) })
  }
  const silence = telemetry.listen(send)
  const beat = setInterval(() => push(': here\n\n'), HEARTBEAT_MS)
  beat.unref()
  stream.once('close', () => {
    silence()
    clearInterval(beat)
  })
  return stream
}

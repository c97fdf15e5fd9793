/** For `node --import`: the smallest tracer provider, which writes each span that has ended to the file in SPANS. */
import { appendFileSync } from 'node:fs'
import { type Attributes, type Span, type Tracer, trace } from '@opentelemetry/api'

export interface RecordedSpan {
  name: string
  startTime: number
  endTime: number
  attributes: Attributes
}

const tracer = {
  startSpan: (name: string, { startTime, attributes }: { startTime: number; attributes: Attributes }) =>
    ({
      end(endTime: number) {
        const span: RecordedSpan = { name, startTime, endTime, attributes }
        appendFileSync(process.env.SPANS ?? '', `${JSON.stringify(span)}\n`)
      },
    }) as Pick<Span, 'end'>,
}
trace.setGlobalTracerProvider({ getTracer: () => tracer as unknown as Tracer })

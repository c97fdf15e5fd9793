// Spans of what Millrace does, for the OpenTelemetry SDK that you set up. It needs @opentelemetry/api, which every SDK brings:
//
//   npm install @opentelemetry/api @opentelemetry/auto-instrumentations-node
//   OTEL_SERVICE_NAME=millrace node --import @opentelemetry/auto-instrumentations-node/register \
//     --import ./examples/opentelemetry.mjs dist/cli.js run examples/shop.yaml
import { subscribe } from 'node:diagnostics_channel'
import { SpanStatusCode, trace } from '@opentelemetry/api'

for (const name of ['millrace.step', 'millrace.commit', 'millrace.checkpoint', 'millrace.apply']) {
  subscribe(name, ({ startMs, endMs, attributes, error }) => {
    const span = trace.getTracer('millrace').startSpan(name, { startTime: startMs, attributes })
    if (error !== undefined) {
      span.recordException(error)
      span.setStatus({ code: SpanStatusCode.ERROR, message: error.message })
    }
    span.end(endMs)
  })
}

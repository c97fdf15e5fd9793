/** What is seen of the publish gate: the log when it closes and opens, metrics, a line among the dashboard's versions. */
import type { Log } from '../observe/log.js'
import type { PublishVerdict } from '../pipeline/gatekeeper.js'
import { digits } from '../serve/telemetry/windows.js'
import type { Observation } from './observation.js'

export function observeVerdicts(
  { telemetry, metrics }: Observation,
  logger: Log,
): (verdict: PublishVerdict, records: number) => void {
  return function onVerdict({ version, kind, eventTimeMs: eventTime, verdict, isNew, findings, isAccepted }, records) {
    metrics.increase('millrace_versions_total', 1, { verdict })
    const reason = findings.map(reasonOf).join('; ')
    if (isAccepted)
      logger.warn({ version }, 'versions were held back for outputs.gate.patience: what is there is the new level')
    if (!isNew) return
    if (verdict === 'published') logger.info({ version, kind }, 'versions are published again')
    else {
      logger.warn({ version, reason, findings }, 'versions are held back: the model is worse than it was')
      // Those that follow would say the same.
      telemetry?.snapshot({ version, kind, eventTime, records, bytes: 0, rows: 0, metrics: {}, verdict, reason })
    }
  }
}

function reasonOf({ task, figure, before, now }: PublishVerdict['findings'][number]): string {
  const [was, is] = [digits(before), digits(now)].map(ratio => ratio.toPrecision(3))
  return figure === 'gate-loss'
    ? `${task}: its loss is ${is} of that of a constant, and was ${was}`
    : `${task}: it promises ${is} times what happens, and promised ${was} times`
}

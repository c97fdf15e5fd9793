/** What the Kafka client and the schema registry say, for metrics and health. */
import type { SchemaRegistry } from '../decode/registry.js'
import type { KafkaSource } from '../source/kafka.js'
import type { Observation } from './observation.js'

const PROBE_EVERY_MS = 10_000

/** committed: by name of the partition, if offsets are committed at all. */
export function observeSource(
  source: KafkaSource,
  committed: ReadonlyMap<string, bigint> | undefined,
  sessionTimeoutMs: number,
  observation: Observation,
): void {
  const { metrics, health } = observation
  observation.isStandingBy = () => source.role === 'standby' && source.joins > 0
  metrics.onScrape(() => {
    metrics.advance('millrace_rebalances_total', source.joins)
    metrics.advance('millrace_consumer_restarts_total', source.restarts)
    metrics.set('millrace_broker_silence_seconds', source.silentMs / 1000)
    for (const { topic, partition: number, records, nextOffset, idle } of source.lag()) {
      const labels = { topic, partition: String(number) }
      metrics.set('millrace_lag_records', records, labels)
      metrics.set('millrace_partition_idle', idle ? 1 : 0, labels)
      const upTo = committed?.get(`${topic}/${number}`)
      if (upTo === undefined) continue
      metrics.set('millrace_uncommitted_lag_records', records + Math.max(Number(nextOffset - upTo), 0), labels)
    }
  })
  observation.telemetry?.read(() => ({ lag: source.lag().reduce((sum, { records }) => sum + records, 0) }))
  health.ready.set('broker', () => {
    if (source.joins === 0) return { status: 'fail', text: 'the consumer group was not joined yet' }
    const text = `answered ${(source.silentMs / 1000).toFixed(1)} s ago`
    return { status: source.silentMs < sessionTimeoutMs ? 'ok' : 'fail', text }
  })
}

/** Asks now and then, so that an outage shows before a record needs the registry. Returns what ends that. */
export function observeRegistry(registry: SchemaRegistry, { metrics, health, clock }: Observation): () => void {
  metrics.onScrape(() => metrics.set('millrace_registry_reachable', registry.state.reachable ? 1 : 0))
  health.ready.set('registry', () => {
    const { reachable, lastError, sinceMs } = registry.state
    if (reachable) return { status: 'ok', text: `${registry.http.url} answers` }
    const forS = Math.round((clock.nowMs() - sinceMs) / 1000)
    const text = `no answer for ${forS} s: known schemas are used, records with others wait (${lastError})`
    return { status: 'warn', text }
  })
  const timer = setInterval(() => void registry.http.probe(), PROBE_EVERY_MS)
  timer.unref()
  return () => clearInterval(timer)
}

/**
 * The metrics of one session, as declared in declarations.ts, for prom-client's registry. Most of them are read only when
 * somebody asks: onScrape() takes functions that look at what the program counts anyway, so that nothing is paid per
 * event. Histograms are tallies of our own, registered beside prom-client's metrics.
 */
import { Counter, collectDefaultMetrics, Gauge, type Metric, Registry } from 'prom-client'
import {
  type CounterName,
  DECLARATIONS,
  type Declaration,
  type GaugeName,
  type HistogramName,
  type LabelsOf,
  type MetricName,
} from './declarations.js'
import { Tally } from './tally.js'

type Labels = Record<string, string>
/** None where the metric has no labels. */
type LabelArguments<N extends MetricName> = [keyof LabelsOf<N>] extends [never] ? [] : [labels: LabelsOf<N>]

/** prom-client's own gauges whose names promise a counter. */
const MISNAMED = ['nodejs_active_resources_total', 'nodejs_active_handles_total', 'nodejs_active_requests_total']

export class Metrics {
  readonly #registry = new Registry()
  readonly #counters = new Map<string, Counter>()
  readonly #gauges = new Map<string, Gauge>()
  readonly #tallies = new Map<string, { labels: Labels; tally: Tally }[]>()
  /** What was counted elsewhere when it was last looked at. */
  readonly #seen = new Map<string, number>()
  readonly #readers: (() => void | Promise<void>)[] = []
  #isPassingOver = false

  constructor() {
    const registers = [this.#registry]
    for (const [name, { type, help, labels: labelNames }] of Object.entries<Declaration>(DECLARATIONS)) {
      if (type === 'counter') this.#counters.set(name, new Counter({ name, help, labelNames, registers }))
      else if (type === 'gauge') {
        const gauge = new Gauge({ name, help, labelNames, registers })
        // The client begins with 0; nothing has been seen yet, which is not 0.
        if (labelNames.length === 0) gauge.remove()
        this.#gauges.set(name, gauge)
      } else {
        this.#tallies.set(name, [])
        const get = async () => ({ name, help, type, values: this.#histogramValues(name), aggregator: 'sum' })
        this.#registry.registerMetric({ name, get } as unknown as Metric)
      }
    }
  }

  /** process_* and nodejs_*; begins to watch the event loop. */
  watchProcess(): void {
    collectDefaultMetrics({ register: this.#registry })
    for (const name of MISNAMED) this.#registry.removeSingleMetric(name)
  }

  increase<N extends CounterName>(name: N, by: number, ...labels: LabelArguments<N>): void {
    this.#counters.get(name)?.inc(labels[0] ?? {}, by)
  }

  /** Of what is counted elsewhere: its total, which may only grow. */
  advance<N extends CounterName>(name: N, total: number, ...labels: LabelArguments<N>): void {
    const key = `${name} ${Object.values(labels[0] ?? {}).join(' ')}`
    const by = total - (this.#seen.get(key) ?? 0)
    this.#seen.set(key, total)
    this.#counters.get(name)?.inc(labels[0] ?? {}, this.#isPassingOver ? 0 : Math.max(by, 0))
  }

  /** Totals that `read` finds do not count: earlier processes have counted them, a checkpoint brought them back. */
  passOver(read: () => void): void {
    this.#isPassingOver = true
    read()
    this.#isPassingOver = false
  }

  set<N extends GaugeName>(name: N, value: number, ...labels: LabelArguments<N>): void {
    this.#gauges.get(name)?.set(labels[0] ?? {}, value)
  }

  /** Before all of its series are set anew, where one of them may be gone. */
  clear(name: GaugeName): void {
    this.#gauges.get(name)?.reset()
  }

  /** To keep: the histogram with these labels. */
  tally<N extends HistogramName>(name: N, ...labels: LabelArguments<N>): Tally {
    const tally = new Tally((DECLARATIONS[name] as Declaration).bounds ?? [])
    this.#tallies.get(name)?.push({ labels: labels[0] ?? {}, tally })
    return tally
  }

  /** Called before the metrics are written out. */
  onScrape(read: () => void | Promise<void>): void {
    this.#readers.push(read)
  }

  get contentType(): string {
    return this.#registry.contentType
  }

  async text(): Promise<string> {
    for (const read of this.#readers) await read()
    return this.#registry.metrics()
  }

  #histogramValues(name: string): { metricName: string; labels: Labels; value: number }[] {
    return (this.#tallies.get(name) ?? []).flatMap(({ labels, tally }) => {
      let count = 0
      const buckets = Array.from(tally.counts, (own, index) => {
        count += own
        const le = String(tally.bounds[index] ?? '+Inf')
        return { metricName: `${name}_bucket`, labels: { ...labels, le }, value: count }
      })
      return [
        ...buckets,
        { metricName: `${name}_sum`, labels, value: tally.sum },
        { metricName: `${name}_count`, labels, value: count },
      ]
    })
  }
}

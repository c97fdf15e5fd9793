/**
 * Sampling intervals: how far a figure would move with other users (or days) of the same kind. Blocks are resampled, not
 * examples, because the examples of one user, or of one day, are alike: resampling them singly gives intervals that are
 * far too narrow. One pass, fixed memory, and the same figures whenever the same log is judged; see poisson-weights.
 *
 * Every figure of a replicate is made by the metric's own code from the replicate's sums. AUC is the one figure that is
 * no function of a few means: its replicate is the weighted AUC from a weighted histogram of scores (auc.ts), which
 * treats pairs within a bin of 0.008 logits as ties. That is a bootstrap of the whole statistic, pairs across blocks
 * included, and no formula for its variance is assumed (Obuchowski 1997 has one for clusters; it needs all scores).
 *
 * What this does not say: how far a figure moves with another seed. That is another interval.
 */
import { BinaryMetrics } from '../metrics/binary-metrics.js'
import { NumericMetrics } from '../metrics/numeric-metrics.js'
import { addRank, RANK_SUMS, rankFigures } from '../metrics/rank-sums.js'
import type { MetricName, MetricValues } from '../metrics/task-metrics.js'
import { Blocks, REPLICATES, type SamplingUnit } from './blocks.js'
import { PoissonWeights } from './poisson-weights.kernel.js'
import { ReplicatedSums } from './replicated-sums.kernel.js'

export type LineKind = 'binary' | 'numeric' | 'ranks'

const BINS = 4096
/** Blocks are told apart up to here; how many more there are changes nothing. */
const KNOWN_BLOCKS = 65_536

export interface SampledRun {
  by: SamplingUnit
  /** Users, or days, that were judged; `more`: and others, which were not counted. */
  blocks: number
  more: boolean
  /** By the name of the task, or of the next item's ranker. */
  lines: Record<string, SampledLine>
}

export interface SampledLine {
  /** By metric: the figure of each replicate; null = not defined there. */
  figures: { [name in MetricName]?: (number | null)[] }
  /** Of each replicate, its labels and the sum of these: two runs that judged the same examples have the same. */
  labels: number[]
  sums: number[]
}

interface Line {
  name: string
  kind: LineKind
  sums: ReplicatedSums
  /** One example's share. */
  scratch: Float64Array
  metric: BinaryMetrics | NumericMetrics | undefined
}

export class Sampling {
  readonly #by: SamplingUnit
  readonly #lines: Line[]
  readonly #poisson = new PoissonWeights(REPLICATES)
  readonly #blocks: Blocks
  readonly #known = new Set<number>()
  #more = false
  #weights: Uint8Array = this.#poisson.weights

  constructor(by: SamplingUnit, lines: readonly { name: string; kind: LineKind }[]) {
    this.#by = by
    this.#blocks = new Blocks(by)
    this.#lines = lines.map(({ name, kind }) => createLine(name, kind))
  }

  /** The example that the next add() or addRank() is about: the user's key, and the time of the impression. */
  example(lo: number, hi: number, eventTimeMs: number): void {
    const blocks = this.#blocks
    blocks.find(lo, hi, eventTimeMs)
    this.#weights = this.#poisson.of(blocks.lo, blocks.hi)
    // 53 bits of a key: two users who share them would be one block, about once in 10^11 pairs.
    const block = (blocks.hi >>> 11) * 2 ** 32 + blocks.lo
    if (this.#known.has(block)) return
    if (this.#known.size < KNOWN_BLOCKS) this.#known.add(block)
    else this.#more = true
  }

  add(line: number, value: number, label: number): void {
    const of = this.#lines[line]
    if (of?.metric === undefined) return
    const bin = of.metric.add(value, label)
    of.sums.add(of.scratch, bin, this.#weights)
    of.scratch.fill(0, 0, HEADS[of.kind])
  }

  addRank(line: number, rank: number): void {
    const of = this.#lines[line]
    if (of === undefined) return
    addRank(of.scratch, 0, rank)
    of.sums.add(of.scratch, -1, this.#weights)
    of.scratch.fill(0)
  }

  result(): SampledRun {
    const lines = Object.fromEntries(this.#lines.map(line => [line.name, sampled(line)]))
    return { by: this.#by, blocks: this.#known.size, more: this.#more, lines }
  }
}

const HEADS: Record<LineKind, number> = {
  binary: BinaryMetrics.heads,
  numeric: NumericMetrics.size,
  ranks: RANK_SUMS,
}

function createLine(name: string, kind: LineKind): Line {
  const bins = kind === 'binary' ? BINS * 2 : 0
  const scratch = new Float64Array(HEADS[kind] + bins)
  return {
    name,
    kind,
    sums: new ReplicatedSums(HEADS[kind], bins, REPLICATES),
    scratch,
    metric: metricOf(kind, scratch),
  }
}

function metricOf(kind: LineKind, sums: Float64Array): Line['metric'] {
  if (kind === 'ranks') return undefined
  return kind === 'binary' ? new BinaryMetrics(sums) : new NumericMetrics(sums)
}

function sampled({ kind, sums, scratch }: Line): SampledLine {
  const own = new Float64Array(scratch.length)
  const metric = metricOf(kind, own)
  const all = Array.from({ length: sums.replicates }, (_, replicate) => {
    sums.copy(replicate, own)
    const values: MetricValues = metric?.values() ?? rankFigures(own, 0)
    // The sum of labels stands in the fifth place of both kinds of tasks; of ranks nothing but their count is the same.
    return { values, labels: kind === 'ranks' ? (own[0] ?? 0) : (metric?.count ?? 0), sum: own[4] ?? 0 }
  })
  const names = new Set(all.flatMap(({ values }) => Object.keys(values) as MetricName[]))
  return {
    figures: Object.fromEntries([...names].map(name => [name, all.map(({ values }) => values[name] ?? null)])),
    labels: all.map(({ labels }) => labels),
    sums: all.map(({ sum }) => sum),
  }
}

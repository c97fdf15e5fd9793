/**
 * One plot on uPlot: colours from the style sheet, the width of its figure, data that keeps coming. The numbers are in a
 * table beside it, made when it is opened.
 */
import type UPlot from 'uplot'
import type { Columns } from './curves.js'
import { h, table } from './dom.js'
import { compact, figure, grouped, percent } from './format.js'

declare const uPlot: typeof UPlot

type Kind = 'count' | 'number' | 'share'

interface SeriesSpec {
  label: string
  /** Place in the palette; -1 is the grey of references. */
  colour: number
  style: 'line' | 'faint' | 'dashed' | 'points' | 'area'
}

export interface PlotSpec {
  title: string
  x: { label: string; kind: Kind }
  y: { label: string; kind: Kind }
  square?: boolean
  series: readonly SeriesSpec[]
}

/** Vertical lines (alarm) and small marks at the foot (version). */
export interface Mark {
  x: number
  kind: 'alarm' | 'version'
}

export interface Scales {
  log: boolean
  range: [number, number]
}

const TABLE_ROWS = 40
const all = new Set<Plot>()

/** After a change of colours. */
export function redrawAll(): void {
  for (const plot of all) plot.redraw()
}

const colourOf = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim()
const seriesColour = (index: number) => colourOf(index < 0 ? '--reference' : `--series-${index % 8}`)

const TICKS: Record<Kind, (values: readonly number[], step: number) => string[]> = {
  count: values => values.map(compact),
  share: values => values.map(percent),
  number: (values, step) => {
    let decimals = 0
    while (decimals < 6 && Math.abs(step * 10 ** decimals - Math.round(step * 10 ** decimals)) > 1e-6) decimals++
    return values.map(value => value.toFixed(decimals))
  },
}

const READOUT: Record<Kind, (value: number) => string> = { count: grouped, share: percent, number: figure }

export class Plot {
  readonly element: HTMLElement
  readonly #spec: PlotSpec
  readonly #canvas: HTMLElement
  readonly #details: HTMLDetailsElement
  #columns: Columns
  #marks: readonly Mark[] = []
  #scales: Scales | undefined
  #plot: UPlot | undefined

  constructor(spec: PlotSpec) {
    this.#spec = spec
    this.#columns = [[], ...spec.series.map(() => [])]
    this.#canvas = h('div', {
      class: `plot${spec.square === true ? ' square' : ''}`,
      role: 'img',
      'aria-label': `Plot of ${spec.title}; its numbers are in the table below`,
    })
    this.#details = h('details', { ontoggle: () => this.#fillTable() }, h('summary', {}, 'The numbers'))
    this.element = h('div', { class: 'plot-box' }, this.#canvas, this.#details)
    new ResizeObserver(() => this.#fit()).observe(this.#canvas)
    all.add(this)
  }

  /** columns: x, then one a series. */
  update(columns: Columns, marks: readonly Mark[] = [], scales?: Scales): void {
    const isOther = JSON.stringify(scales) !== JSON.stringify(this.#scales)
    const wasShort = (this.#columns[0]?.length ?? 0) < 3
    this.#columns = columns
    this.#marks = marks
    this.#scales = scales
    if (this.#plot === undefined || isOther || wasShort) this.redraw()
    else this.#plot.setData(columns as UPlot.AlignedData)
    if (this.#details.open) this.#fillTable()
  }

  redraw(): void {
    this.#plot?.destroy()
    this.#plot = undefined
    if (this.#canvas.clientWidth === 0 || (this.#columns[0]?.length ?? 0) === 0) return
    this.#plot = new uPlot(this.#options(), this.#columns as UPlot.AlignedData, this.#canvas)
    this.#canvas.dataset.drawn = ''
  }

  #size(): { width: number; height: number } {
    const width = this.#canvas.clientWidth
    return {
      width,
      height: this.#spec.square === true ? Math.min(width * 0.8, 260) : Math.min(Math.max(width * 0.45, 170), 230),
    }
  }

  #fit(): void {
    if (this.#plot === undefined) this.redraw()
    else if (this.#plot.width !== this.#canvas.clientWidth && this.#canvas.clientWidth > 0)
      this.#plot.setSize(this.#size())
  }

  #options(): UPlot.Options {
    const { series, x, y } = this.#spec
    const points = (this.#columns[0]?.length ?? 0) < 3
    return {
      ...this.#size(),
      padding: [10, 22, 0, 0],
      scales: { x: this.#scale(), y: this.#scale() },
      axes: [this.#axis(x, true), this.#axis(y, false)],
      series: [
        { label: x.label, value: (_plot, value) => (value == null ? '' : READOUT[x.kind](value)) },
        ...series.map(one => seriesOptions(one, y.kind, points)),
      ],
      cursor: { points: { size: 6 }, drag: { setScale: false } },
      legend: {
        show: series.filter(one => one.style !== 'faint').length > 1,
        markers: {
          width: 0,
          fill: (_plot, index) => (index === 0 ? 'transparent' : seriesColour(series[index - 1]?.colour ?? 0)),
        },
      },
      hooks: { draw: [plot => this.#drawMarks(plot)] },
    } as UPlot.Options
  }

  #scale(): UPlot.Scale {
    const scales = this.#scales
    if (scales === undefined) return { time: false }
    return { time: false, distr: scales.log ? 3 : 1, range: () => scales.range }
  }

  #axis({ kind }: PlotSpec['x'], isHorizontal: boolean): UPlot.Axis {
    const font = `12px ${colourOf('--font')}`
    const log = this.#scales?.log === true
    return {
      stroke: colourOf('--muted'),
      font,
      gap: 4,
      grid: { stroke: colourOf('--grid'), width: 1, show: !isHorizontal || log },
      ticks: { show: false },
      values: (_plot, values, _axis, _space, step) => TICKS[kind](values, step),
      ...(isHorizontal
        ? { space: 62, size: 26 }
        : {
            space: 36,
            size: (_plot: UPlot, values: string[] | null) =>
              14 + 6.6 * Math.max(3, ...(values ?? []).map(text => String(text).length)),
          }),
      ...(log
        ? {
            splits: (_plot: UPlot, _axis: number, low: number, high: number) => logSplits(low, high),
            filter: (_plot: UPlot, values: number[]) => values,
          }
        : {}),
    } as UPlot.Axis
  }

  #drawMarks(plot: UPlot): void {
    const { ctx, bbox } = plot
    const ratio = devicePixelRatio
    ctx.save()
    for (const { x, kind } of this.#marks) {
      const left = plot.valToPos(x, 'x', true)
      if (left < bbox.left || left > bbox.left + bbox.width) continue
      const foot = bbox.top + bbox.height
      ctx.fillStyle = ctx.strokeStyle = colourOf(kind === 'alarm' ? '--warn' : '--reference')
      if (kind === 'alarm') {
        ctx.globalAlpha = 0.45
        ctx.lineWidth = ratio
        ctx.setLineDash([2 * ratio, 3 * ratio])
        ctx.beginPath()
        ctx.moveTo(left, bbox.top)
        ctx.lineTo(left, foot)
        ctx.stroke()
        ctx.globalAlpha = 1
      }
      const tip = kind === 'alarm' ? bbox.top + 7 * ratio : foot - 6 * ratio
      const base = kind === 'alarm' ? bbox.top : foot
      ctx.beginPath()
      ctx.moveTo(left - 4 * ratio, base)
      ctx.lineTo(left + 4 * ratio, base)
      ctx.lineTo(left, tip)
      ctx.fill()
    }
    ctx.restore()
  }

  #fillTable(): void {
    if (!this.#details.open) return
    const { series, x, y } = this.#spec
    const [xs = [], ...columns] = this.#columns
    const stride = Math.ceil(xs.length / TABLE_ROWS)
    const kept = xs.map((_, index) => index).filter(index => (xs.length - 1 - index) % stride === 0)
    const text = (kind: Kind, value: number | null | undefined) => (value == null ? '–' : READOUT[kind](value))
    const rows = kept.map(index => [text(x.kind, xs[index]), ...columns.map(column => text(y.kind, column[index]))])
    const heads = [x.label, ...series.map(({ label, style }) => (style === 'faint' ? `${label}, each window` : label))]
    this.#details.querySelector('.scroll')?.remove()
    this.#details.append(table(heads, rows, `The numbers of ${this.#spec.title}`))
  }
}

function seriesOptions({ label, colour, style }: SeriesSpec, kind: Kind, points: boolean): UPlot.Series {
  const stroke = seriesColour(colour)
  return {
    label,
    class: style,
    stroke: style === 'faint' ? `${stroke}55` : stroke,
    width: { line: 2.25, faint: 1, dashed: 1.25, points: 1.5, area: 2 }[style],
    ...(style === 'dashed' ? { dash: [5, 5] } : {}),
    ...(style === 'area' ? { fill: `${stroke}1f` } : {}),
    spanGaps: true,
    points: style === 'points' ? { show: true, size: 6, fill: stroke, stroke } : { show: points && style !== 'faint' },
    value: (_plot: UPlot, value: number | null) => (value == null ? '' : READOUT[kind](value)),
  } as UPlot.Series
}

/** 1, 2, 5 of each power of ten, or only the powers where that would crowd the axis. */
function logSplits(low: number, high: number): number[] {
  const splits: number[] = []
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++) {
    for (const digit of [1, 2, 5]) {
      const value = Number(`${digit}e${power}`)
      if (value >= low && value <= high) splits.push(value)
    }
  }
  const powers = splits.filter(value => Math.abs(Math.log10(value) % 1) < 1e-9)
  if (splits.length > 6) return powers
  return splits.length > 1 ? splits : [low, high]
}

/**
 * The script inside the HTML report: hands each plot of the page's JSON to uPlot, follows the width of its figure, and
 * draws again when the reader's light or dark preference changes, because a canvas does not follow style sheets.
 * Text of its own, not a function of ours printed: it runs in the reader's browser, without a build step of its own.
 */
export const PAGE_SCRIPT = `
'use strict'
const plots = JSON.parse(document.getElementById('plots').textContent)
const colour = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim()
const seriesColour = index => colour(index < 0 ? '--reference' : '--series-' + (index % 8))

const trim = text => text.replace(/(\\.\\d*?)0+$/, '$1').replace(/\\.$/, '')
const compact = value => {
  const size = Math.abs(value)
  if (size >= 1e9) return trim((value / 1e9).toPrecision(3)) + ' G'
  if (size >= 1e6) return trim((value / 1e6).toPrecision(3)) + ' M'
  if (size >= 1e4) return trim((value / 1e3).toPrecision(3)) + ' k'
  return String(Math.round(value * 100) / 100)
}
const grouped = value => String(Math.round(value)).replace(/\\B(?=(\\d{3})+$)/g, ',')
const share = value => {
  const percent = value * 100
  return (percent === 0 ? '0' : trim(percent < 1 ? percent.toPrecision(2) : percent.toFixed(1))) + ' %'
}
const ticks = {
  count: values => values.map(value => (value == null ? '' : compact(value))),
  share: values => values.map(value => (value == null ? '' : share(value))),
  number: (values, step) => {
    let decimals = 0
    while (decimals < 8 && Math.abs(step * 10 ** decimals - Math.round(step * 10 ** decimals)) > 1e-6) decimals++
    return values.map(value => (value == null ? '' : value.toFixed(decimals)))
  },
}
const readout = {
  count: grouped,
  share: value => (value >= 0.001 ? (value * 100).toFixed(2) : (value * 100).toPrecision(3)) + ' %',
  number: value => (Math.abs(value) >= 100 ? value.toFixed(1) : value.toPrecision(4)),
}

// 1, 2, 5 of each power of ten, or only the powers where that would crowd the axis.
function logSplits(low, high) {
  const splits = []
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++) {
    for (const digit of [1, 2, 5]) {
      const value = Number((digit + 'e' + power))
      if (value >= low && value <= high) splits.push(value)
    }
  }
  const powers = splits.filter(value => Math.abs(Math.log10(value) % 1) < 1e-9)
  if (splits.length > 7) return powers
  return splits.length > 1 ? splits : [low, high]
}

function axisOf(spec, horizontal) {
  const tickText = ticks[spec.kind]
  const axis = {
    label: spec.label,
    stroke: colour('--muted'),
    font: '12px ' + colour('--font'),
    labelFont: '12px ' + colour('--font'),
    labelSize: 22,
    gap: 4,
    grid: { stroke: colour('--grid'), width: 1 },
    ticks: { stroke: colour('--grid'), width: 1, size: 4 },
    values: (plot, values, _axis, _space, step) => tickText(values, step),
  }
  if (horizontal) Object.assign(axis, { space: 62, size: 28 })
  else axis.size = (plot, values) => 16 + 6.8 * Math.max(3, ...(values || []).map(text => String(text).length))
  if (spec.log) {
    axis.splits = (plot, _axis, low, high) => logSplits(low, high)
    axis.filter = (plot, values) => values
  }
  return axis
}

function scaleOf(spec) {
  const scale = { time: false }
  if (spec.log) scale.distr = 3
  // The given range is where a plot opens; a zoom sets its own.
  if (spec.range) scale.range = (plot, low, high) => (plot.zoomed ? [low, high] : spec.range)
  return scale
}

function seriesOf(spec, kind, alone) {
  const stroke = seriesColour(spec.colour)
  return {
    label: spec.label,
    class: spec.style,
    stroke: spec.style === 'faint' ? stroke + '55' : stroke,
    width: { line: 2, points: 1.5, dashed: 1.5, faint: 1 }[spec.style],
    dash: spec.style === 'dashed' ? [6, 5] : undefined,
    spanGaps: true,
    points: spec.style === 'points' ? { show: true, size: 7, fill: stroke, stroke } : { show: alone },
    value: (plot, value) => (value == null ? '' : readout[kind](value)),
  }
}

function draw(figure) {
  const spec = plots[Number(figure.dataset.plot)]
  const size = () => {
    const width = figure.clientWidth
    return { width, height: spec.shape === 'square' ? Math.min(width * 0.9, 340) : Math.min(Math.max(width * 0.5, 220), 270) }
  }
  const options = {
    ...size(),
    padding: [12, 24, 0, 0],
    scales: { x: scaleOf(spec.x), y: scaleOf(spec.y) },
    axes: [axisOf(spec.x, true), axisOf(spec.y, false)],
    series: [
      { label: 'at', value: (plot, value) => (value == null ? '' : readout[spec.x.kind](value)) },
      ...spec.series.map(series => seriesOf(series, spec.y.kind, spec.columns[0].length < 3)),
    ],
    cursor: { points: { size: 7 } },
    legend: { markers: { width: 0, fill: (plot, index) => (index === 0 ? 'transparent' : seriesColour(spec.series[index - 1].colour)) } },
    hooks: {
      setSelect: [plot => { plot.zoomed = plot.select.width > 0 }],
    },
  }
  figure.replaceChildren()
  const plot = new uPlot(options, spec.columns, figure)
  plot.over.addEventListener('dblclick', () => {
    plot.zoomed = false
    plot.setData(spec.columns)
  })
  return { plot, fit: () => plot.setSize(size()) }
}

const figures = [...document.querySelectorAll('[data-plot]')]
let drawn = new Map()
const drawAll = () => {
  for (const { plot } of drawn.values()) plot.destroy()
  drawn = new Map(figures.map(figure => [figure, draw(figure)]))
}
drawAll()
const watcher = new ResizeObserver(entries => {
  for (const { target } of entries) {
    const shown = drawn.get(target)
    if (shown && shown.plot.width !== target.clientWidth) shown.fit()
  }
})
for (const figure of figures) watcher.observe(figure)
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', drawAll)
document.documentElement.dataset.drawn = String(figures.length)
`

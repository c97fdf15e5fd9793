/** How much each task takes of each expert, over time: whether tasks share, and whether an expert is left out. */
import type { Status } from '../../telemetry/status.js'
import { byId, card } from './dom.js'
import { Plot } from './plot.js'

export function startExperts(): (status: Status) => void {
  const grid = byId('experts')
  const plots: Plot[] = []
  return ({ about, windows }) => {
    const known = windows.filter(({ gates }) => gates !== null)
    const last = known.at(-1)?.gates
    if (last == null) return
    const records = known.map(point => point.records)
    for (const [task, { name }] of about.tasks.entries()) {
      const experts = last[task] ?? []
      let plot = plots[task]
      if (plot === undefined) {
        plot = new Plot({
          title: `${name}: experts`,
          x: { label: 'records', kind: 'count' },
          y: { label: 'share', kind: 'share' },
          series: experts.map((_, colour) => ({ label: `expert ${colour + 1}`, colour, style: 'line' as const })),
        })
        plots[task] = plot
        const note = 'how much the task takes of each, of the examples seen last'
        grid.append(card(`${name}: experts`, note, plot.element))
      }
      plot.update([records, ...experts.map((_, expert) => known.map(({ gates }) => gates?.[task]?.[expert] ?? null))])
    }
  }
}

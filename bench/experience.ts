/** How ids with few events fare, from runs with several seeds: a table below the laboratory's. */
import { EXPERIENCE_BANDS } from '../src/domain/experience.js'
import type { RunSummary } from '../src/evaluate/report/summary.js'
import { overSeeds } from './statistics.js'

export interface ExperienceWanted {
  task: string
  metric: 'rmse' | 'auc'
}

/** Mean over the seeds with its interval, by how many events the id had had; labels of the first run. */
export function experienceText(
  title: string,
  runs: readonly RunSummary[],
  wanted: readonly ExperienceWanted[],
): string {
  const head = ['events before', ...wanted.flatMap(({ task, metric }) => [`${task} labels`, metric.toUpperCase()])]
  const lines = (['user', 'item'] as const).flatMap(side =>
    EXPERIENCE_BANDS.map(events => [
      `${side}, ${events}`,
      ...wanted.flatMap(({ task, metric }) => {
        const bands = runs.map(run => run.tasks[task]?.byExperience[side][events])
        const values = bands.flatMap(band => band?.[metric] ?? [])
        const { mean, interval } = overSeeds(values)
        const between = interval && ` [${interval.low.toFixed(4)}, ${interval.high.toFixed(4)}]`
        const value = values.length === 0 ? '–' : `${mean.toFixed(4)}${between ?? ''}`
        return [String(bands[0]?.count ?? 0), value]
      }),
    ]),
  )
  const rule = head.map(() => '---')
  return [title, '', ...[head, rule, ...lines].map(cells => `| ${cells.join(' | ')} |`)].join('\n')
}

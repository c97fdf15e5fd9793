/** How an off-policy estimate is told: rows of a table, or why there is none. */
import type { Estimate, Estimator, PolicyFindings } from '../policy/off-policy.js'
import { formatCount } from './headline.js'

interface PolicyRow {
  name: string
  value: string
  interval: string
}

const NAMES: Record<Estimator, string> = {
  logged: 'as logged',
  ips: 'by rank score, IPS',
  snips: 'by rank score, SNIPS',
  dr: 'by rank score, DR',
  gain: 'gain (DR − logged)',
}

export function policyRows({ values }: PolicyFindings): PolicyRow[] {
  if (values === undefined) return []
  return (Object.entries(values) as [Estimator, Estimate][]).map(([name, { value, low, high }]) => {
    const format = (figure: number) => `${name === 'gain' && figure > 0 ? '+' : ''}${figure.toFixed(5)}`
    return { name: NAMES[name], value: format(value), interval: `${format(low)} to ${format(high)}` }
  })
}

export function policyNote({ reward, pages, impressions, effective, meanWeight, refused }: PolicyFindings): string {
  if (refused !== undefined) return `No estimate of another order. ${refused}`
  return `${reward} per impression, ${formatCount(pages)} pages of ${formatCount(impressions)} impressions; both orders agree in what is worth ${formatCount(effective)} of them, weights average ${meanWeight.toFixed(3)}. Assumes that what becomes of an item depends on its place, not on its neighbours.`
}

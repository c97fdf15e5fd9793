/** Numbers and times as people read them. Times are UTC, as in the report. */

/** 1234567 → '1,234,567' */
export function grouped(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',')
}

const trimmed = (text: string) => text.replace(/(\.\d*?)0+$/, '$1').replace(/\.$/, '')

/** 45,230 → '45.2k' */
export function compact(value: number): string {
  const size = Math.abs(value)
  if (size >= 1e9) return `${trimmed((value / 1e9).toPrecision(3))}G`
  if (size >= 1e6) return `${trimmed((value / 1e6).toPrecision(3))}M`
  if (size >= 1e4) return `${trimmed((value / 1e3).toPrecision(3))}k`
  return trimmed(String(Math.round(value * 100) / 100))
}

export function percent(share: number): string {
  const value = share * 100
  if (value === 0) return '0 %'
  return `${trimmed(Math.abs(value) < 1 ? value.toPrecision(2) : value.toFixed(1))} %`
}

export function bytes(value: number): string {
  if (value >= 1e9) return `${trimmed((value / 1e9).toPrecision(3))} GB`
  if (value >= 1e6) return `${trimmed((value / 1e6).toPrecision(3))} MB`
  return `${trimmed((value / 1e3).toPrecision(3))} kB`
}

export function span(seconds: number): string {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`
  if (seconds < 100) return `${trimmed(seconds.toPrecision(2))} s`
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h`
  return `${Math.round(seconds / 86_400)} days`
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** '19 Jan 2026' */
export function day(timeMs: number): string {
  const date = new Date(timeMs)
  return `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]} ${date.getUTCFullYear()}`
}

/** '14:20' */
export function clock(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(11, 16)
}

/** A figure of a metric: four decimals say enough. */
export function figure(value: number | undefined | null): string {
  if (value === undefined || value === null || !Number.isFinite(value)) return '–'
  if (value !== 0 && Math.abs(value) < 0.001) return value.toPrecision(2)
  return Math.abs(value) >= 100 ? value.toFixed(1) : value.toFixed(4)
}

/** A probability or a value of a task. */
export function value(one: number): string {
  if (one > 0 && one < 0.0995) return percent(one)
  return one <= 1 && one >= 0 ? percent(one) : trimmed(one.toFixed(2))
}

export function signed(value: number): string {
  const text = Math.abs(value) < 0.0005 && value !== 0 ? value.toPrecision(2) : value.toFixed(3)
  return value > 0 ? `+${text}` : text.replace('-', '−')
}

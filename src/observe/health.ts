/**
 * What an instance says of itself. livez: this process works; nothing outside of it can make that false, because starting
 * it again would mend nothing. readyz: it does its part, learning or standing by, and the world lets it. A warning is shown
 * and changes nothing.
 */
export interface Check {
  status: 'ok' | 'warn' | 'fail'
  text: string
}

export interface Health {
  live: Map<string, () => Check | Promise<Check>>
  ready: Map<string, () => Check | Promise<Check>>
}

export const createHealth = (): Health => ({ live: new Map(), ready: new Map() })

const MARKS = { ok: '[+]', warn: '[!]', fail: '[-]' }

/** Without `verbose`: what is wrong, or 'ok'. */
export async function examine(
  name: 'livez' | 'readyz',
  health: Health,
  verbose: boolean,
): Promise<{ isOk: boolean; text: string }> {
  const checks = name === 'livez' ? health.live : health.ready
  const lines: string[] = []
  let isOk = true
  for (const [check, ask] of checks) {
    const { status, text } = await Promise.resolve()
      .then(ask)
      .catch((error: unknown): Check => ({ status: 'fail', text: (error as Error).message }))
    if (status === 'fail') isOk = false
    if (verbose || status === 'fail') lines.push(`${MARKS[status]}${check}: ${text}`)
  }
  if (verbose || !isOk) lines.push(`${name} check ${isOk ? 'passed' : 'failed'}`)
  return { isOk, text: lines.length === 0 ? 'ok' : lines.join('\n') }
}

import { setTimeout as sleep } from 'node:timers/promises'

/** Polls what only another process can bring about; errors count as "not yet". The deadline is for what hangs. */
export async function until(
  what: string,
  holds: () => Promise<boolean> | boolean,
  deadlineMs = 600_000,
): Promise<void> {
  const end = Date.now() + deadlineMs
  for (;;) {
    const now = await Promise.resolve()
      .then(holds)
      .catch((error: unknown) => {
        if (Date.now() > end) throw error
        return false
      })
    if (now) return
    if (Date.now() > end) throw new Error(`waited ${deadlineMs} ms in vain until ${what}`)
    await sleep(50)
  }
}

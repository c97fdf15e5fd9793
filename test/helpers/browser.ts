/** A real Chromium, and pages that remember what they complained of. */
import { existsSync } from 'node:fs'
import { type Browser, chromium, type Page } from 'playwright-core'

const CHROMIUM = '/usr/bin/chromium'

/** For `{ skip: browserSkip }`: false, or the reason. */
export const browserSkip: false | string = existsSync(CHROMIUM)
  ? false
  : 'Chromium is not installed (apt-get install chromium)'

export function launch(): Promise<Browser> {
  const quiet = ['--disable-background-networking', '--disable-component-update', '--disable-sync']
  const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', ...quiet]
  return chromium.launch({ executablePath: CHROMIUM, args })
}

export interface View {
  width: number
  scheme: 'light' | 'dark'
}

/** complaints: errors of the page, of the console (a policy that was violated is one), and requests to elsewhere. */
export async function openPage(
  browser: Browser,
  url: string,
  { width, scheme }: View = { width: 1280, scheme: 'light' },
): Promise<{ page: Page; complaints: string[] }> {
  const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme: scheme, reducedMotion: 'reduce' })
  const complaints: string[] = []
  const { origin } = new URL(url)
  page.on('pageerror', error => complaints.push(error.message))
  page.on('console', message => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text())
  })
  page.on('request', request => {
    if (!request.url().startsWith(origin)) complaints.push(`asked for ${request.url()}`)
  })
  await page.goto(url)
  return { page, complaints }
}

/** Not waitForFunction: it evaluates text inside the page, which the page's policy rightly refuses. */
export async function until(page: Page, condition: string): Promise<void> {
  await page.evaluate(`new Promise(resolve => {
    const look = () => (${condition} ? resolve(true) : setTimeout(look, 20))
    look()
  })`)
}

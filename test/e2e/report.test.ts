import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { type Browser, chromium, type Page } from 'playwright-core'
import { renderHtml } from '../../src/evaluate/report/html.js'
import { sampleComparison } from '../unit/evaluate/report/sample-report.js'

const CHROMIUM = '/usr/bin/chromium'
const skip = existsSync(CHROMIUM) ? false : 'Chromium is not installed (apt-get install chromium)'
const folder = mkdtempSync(join(tmpdir(), 'millrace-report-'))
const file = join(folder, 'report.html')
let browser: Browser | undefined

before(async () => {
  if (skip !== false) return
  writeFileSync(file, renderHtml(sampleComparison()))
  const quiet = ['--disable-background-networking', '--disable-component-update', '--disable-sync']
  const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', ...quiet]
  browser = await chromium.launch({ executablePath: CHROMIUM, args })
})

after(async () => {
  await browser?.close()
  rmSync(folder, { recursive: true, force: true })
})

async function open(width: number, colorScheme: 'light' | 'dark'): Promise<{ page: Page; complaints: string[] }> {
  assert.ok(browser)
  const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme })
  const complaints: string[] = []
  page.on('pageerror', error => complaints.push(error.message))
  page.on('console', message => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text())
  })
  page.on('request', request => {
    if (!/^(file|data):/.test(request.url())) complaints.push(`asked for ${request.url()}`)
  })
  await page.goto(pathToFileURL(file).href)
  await page.waitForSelector('html[data-drawn]')
  return { page, complaints }
}

// Scripts for the page are text: these tests are compiled without the browser's types.
const OVERFLOW = 'document.documentElement.scrollWidth - window.innerWidth'
/** For each plot: how many colours its canvas shows; 1 would be an empty one. */
const COLOURS = `[...document.querySelectorAll('[data-plot]')].map(figure => {
  const canvas = figure.querySelector('canvas')
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
  return new Set(new Uint32Array(data.buffer)).size
})`

/** Not waitForFunction: it evaluates text inside the page, which the page's policy rightly refuses. */
async function until(page: Page, condition: string): Promise<void> {
  await page.evaluate(`new Promise(resolve => {
    const look = () => (${condition} ? resolve(true) : requestAnimationFrame(look))
    look()
  })`)
}

for (const width of [390, 1440]) {
  for (const scheme of ['light', 'dark'] as const) {
    test(`at ${width} pixels, ${scheme}: every plot is drawn, nothing overflows, the console is silent`, {
      skip,
    }, async () => {
      const { page, complaints } = await open(width, scheme)
      const colours = await page.evaluate<number[]>(COLOURS)
      assert.equal(colours.length, 12)
      assert.ok(
        colours.every(count => count > 4),
        `colours on each canvas: ${colours}`,
      )
      assert.ok((await page.evaluate<number>(OVERFLOW)) <= 0)
      assert.deepEqual(complaints, [])
      await page.close()
    })
  }
}

test('plots follow the width of the window and the colour scheme', { skip, timeout: 600_000 }, async () => {
  const { page, complaints } = await open(1440, 'light')
  const stroke = 'getComputedStyle(document.querySelector(".u-legend .line .u-marker")).backgroundColor'
  const light = await page.evaluate<string>(stroke)
  await page.emulateMedia({ colorScheme: 'dark' })
  await until(page, `${stroke} !== ${JSON.stringify(light)}`)
  await page.setViewportSize({ width: 500, height: 900 })
  await until(page, 'document.querySelector("[data-plot] .u-wrap").clientWidth < 500')
  assert.ok((await page.evaluate<number>(OVERFLOW)) <= 0)
  assert.deepEqual(complaints, [])
  await page.close()
})

test('dragging zooms in on a plot and a double click goes back', { skip, timeout: 600_000 }, async () => {
  const { page, complaints } = await open(1440, 'light')
  for (const plot of [0, 6]) {
    const over = page.locator(`[data-plot="${plot}"] .u-over`)
    await over.scrollIntoViewIfNeeded()
    const box = await over.boundingBox()
    assert.ok(box)
    const image = `document.querySelector('[data-plot="${plot}"] canvas').toDataURL()`
    await page.mouse.move(5, 5)
    const whole = await page.evaluate<string>(image)
    await page.mouse.move(box.x + box.width * 0.3, box.y + box.height / 2)
    await page.mouse.down()
    await page.mouse.move(box.x + box.width * 0.6, box.y + box.height / 2, { steps: 4 })
    await page.mouse.up()
    await until(page, `${image} !== ${JSON.stringify(whole)}`)
    await over.dblclick()
    await until(page, `${image} === ${JSON.stringify(whole)}`)
  }
  assert.deepEqual(complaints, [])
  await page.close()
})

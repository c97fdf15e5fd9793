// Takes the README's picture: leaderboard and first learning curves of a report, in Chromium, light theme.
//   node scripts/screenshot.mjs .data/shop/report.html docs/images/report.png
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { chromium } from 'playwright-core'

const [report, picture] = process.argv.slice(2)
if (report === undefined || picture === undefined) {
  console.error('usage: node scripts/screenshot.mjs REPORT.html PICTURE.png')
  process.exit(2)
}
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] })
const page = await browser.newPage({
  viewport: { width: 1100, height: 1260 },
  colorScheme: 'light',
  deviceScaleFactor: 1.5,
})
await page.goto(pathToFileURL(resolve(report)).href)
await page.locator('canvas').first().waitFor()
// Two frames: the plots draw in the first one after they know their size.
await page.evaluate('new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))')
const top = (await page.getByRole('heading', { name: 'Leaderboard' }).boundingBox()).y - 24
const plot = await page.locator('figure').nth(3).boundingBox()
const clip = { x: 0, y: top, width: 1100, height: plot.y + plot.height + 12 - top }
await page.screenshot({ path: picture, fullPage: true, clip })
await browser.close()

// Takes the README's picture: the dashboard of a real run of examples/shop.yaml in Chromium, near the end of its log.
//   npm run build && node scripts/dashboard-picture.mjs docs/images/dashboard.png
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium } from 'playwright-core'

const [picture] = process.argv.slice(2)
if (picture === undefined) {
  console.error('usage: node scripts/dashboard-picture.mjs PICTURE.png')
  process.exit(2)
}
const folder = mkdtempSync(join(tmpdir(), 'millrace-picture-'))
const shop = readFileSync('examples/shop.yaml', 'utf8')
writeFileSync(join(folder, 'shop.yaml'), shop.replaceAll('../.data/shop', '.'))
const settings = ['--set', 'http.port=0', 'evaluate.compare=[]', 'log.level=info']
const run = spawn(process.execPath, ['dist/cli.js', 'run', join(folder, 'shop.yaml'), '--json', ...settings], {
  stdio: ['ignore', 'ignore', 'pipe'],
})
let said = ''
run.stderr.setEncoding('utf8').on('data', text => {
  said += text
})
const pause = ms => new Promise(resolve => setTimeout(resolve, ms))
let url
while (url === undefined) {
  await pause(50)
  url = /"url":"(http:[^"]+)","msg":"the dashboard"/.exec(said)?.[1]
}
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] })
const view = { viewport: { width: 1280, height: 1000 }, colorScheme: 'light', deviceScaleFactor: 1.5 }
const page = await browser.newPage(view)
await page.goto(url)
// Where the log nears its end, the curves have something to tell and the learner still learns.
for (;;) {
  const { now } = await (await fetch(`${url}/v1/status`)).json()
  if (now.state === 'learning' && now.share > 0.9) break
  await pause(100)
}
await page.waitForSelector('.curve .plot[data-drawn]')
const { y } = await page.getByRole('heading', { name: 'Inside' }).boundingBox()
await page.screenshot({ path: picture, fullPage: true, clip: { x: 0, y: 0, width: 1280, height: Math.round(y) - 20 } })
await browser.close()
await new Promise(resolve => run.once('exit', resolve))
rmSync(folder, { recursive: true })

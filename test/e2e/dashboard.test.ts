/** The dashboard in a real browser, over a server that shows what the test says. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { after, before, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import type { HttpServer } from '../../src/serve/http/server.js'
import type { Telemetry } from '../../src/serve/telemetry/telemetry.js'
import { launch, openPage, browserSkip as skip, until } from '../helpers/browser.js'
import {
  LEARNING,
  modelFixture,
  serveDashboard,
  telemetryFixture,
  windowFixture,
} from '../helpers/dashboard-fixture.js'
import { freePort } from '../helpers/kafka.js'

const ITEMS = Array.from({ length: 16 }, (_, index) => `item-${index}`)
const EVIL = '<img src=x onerror="document.title=\'owned\'">'
const PICTURES = '.data/dashboard'
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

let browser: Browser
let telemetry: Telemetry
const servers: HttpServer[] = []

async function serve(
  shown: Telemetry,
  items: readonly string[] | undefined = ITEMS,
  keys: string[] = [],
): Promise<string> {
  const server = await serveDashboard(shown, items === undefined ? [] : [modelFixture(items)], { keys })
  servers.push(server)
  return server.url
}

before(async () => {
  if (skip !== false) return
  mkdirSync(PICTURES, { recursive: true })
  telemetry = telemetryFixture()
  browser = await launch()
})

after(async () => {
  await browser?.close()
  for (const server of servers) await server.close()
})

const READY = 'document.documentElement.dataset.ready !== undefined'
const OVERFLOW = 'document.documentElement.scrollWidth - window.innerWidth'
const DRAWN = 'document.querySelectorAll(".plot[data-drawn]").length'
const RANKED = 'document.querySelectorAll(".ranked").length === 12'

/** Findings that keep somebody from using the page. */
async function findings(page: Page): Promise<string[]> {
  await page.evaluate(axe)
  const { violations } = await page.evaluate<{
    violations: { id: string; impact: string; nodes: { html: string; failureSummary: string }[] }[]
  }>('axe.run()')
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(node => `${id}: ${node.html.slice(0, 160)}: ${node.failureSummary}`))
}

for (const [name, width, scheme] of [
  ['light', 1440, 'light'],
  ['dark', 1440, 'dark'],
  ['narrow', 390, 'light'],
  ['narrow-dark', 390, 'dark'],
] as const) {
  test(`${name}: all plots are drawn, nothing overflows, axe finds nothing serious, the console is silent`, {
    skip,
    timeout: 600_000,
  }, async () => {
    const { page, complaints } = await openPage(browser, await serve(telemetry), { width, scheme })
    await until(page, `${READY} && ${DRAWN} === 10`)
    assert.ok((await page.evaluate<number>(OVERFLOW)) <= 0)
    assert.deepEqual(await findings(page), [])
    await page.screenshot({ path: `${PICTURES}/${name}.png`, fullPage: true })
    await page.getByRole('link', { name: 'Playground' }).click()
    await until(page, RANKED)
    await page.locator('.ranked').first().click()
    await until(page, 'document.querySelector(".diverging") !== null')
    assert.ok((await page.evaluate<number>(OVERFLOW)) <= 0)
    assert.deepEqual(await findings(page), [])
    await page.evaluate('scrollTo(0, 0)')
    await page.screenshot({ path: `${PICTURES}/playground-${name}.png`, fullPage: true })
    assert.deepEqual(complaints, [])
    await page.close()
  })
}

test('what changes is on the page without a reload, and a lost line says so and comes back', {
  skip,
  timeout: 600_000,
}, async () => {
  const reading = { ...LEARNING, records: 1000 }
  const live = telemetryFixture({}, reading)
  // Not one that the system gives to whoever asks next: it must be free when the server comes back.
  const port = await freePort()
  const server = await serveDashboard(live, [], { port })
  const { page } = await openPage(browser, server.url)
  await until(page, READY)
  const tile = (text: string) => `document.getElementById('tiles').textContent.includes(${JSON.stringify(text)})`
  await until(page, tile('1,000'))
  reading.records = 2345
  live.window(windowFixture(40))
  live.sample()
  await until(page, tile('2,345'))
  assert.equal(await page.getByRole('alert').isVisible(), false)

  await server.close()
  await until(page, '!document.getElementById("notice").hidden')
  assert.match((await page.getByRole('alert').textContent()) ?? '', /Disconnected/)
  await page.screenshot({ path: `${PICTURES}/disconnected.png` })
  assert.ok(await page.evaluate<boolean>(tile('2,345')), 'what was last heard stays')

  reading.records = 3456
  live.sample()
  const again = await serveDashboard(live, [], { port })
  await until(page, `${tile('3,456')} && document.getElementById("notice").hidden`)
  await again.close()
  await page.close()
})

test('before the first window, places say what will be there', { skip, timeout: 600_000 }, async () => {
  const { Telemetry: Fresh } = await import('../../src/serve/telemetry/telemetry.js')
  const { aboutFixture } = await import('../helpers/dashboard-fixture.js')
  const { systemClock } = await import('../../src/std/clock.js')
  const empty = new Fresh(aboutFixture({ scores: false }), systemClock)
  const { page, complaints } = await openPage(browser, await serve(empty, undefined))
  await until(page, READY)
  assert.match((await page.locator('#curves').textContent()) ?? '', /The first window has not closed yet/)
  assert.equal(await page.getByRole('link', { name: 'Playground' }).isVisible(), false)
  assert.deepEqual(await findings(page), [])
  assert.deepEqual(complaints, [])
  await page.screenshot({ path: `${PICTURES}/empty.png` })
  await page.close()
})

test('the playground can be played from the keyboard alone: user, weights, item, neighbour', {
  skip,
  timeout: 600_000,
}, async () => {
  const { page, complaints } = await openPage(browser, `${await serve(telemetry)}/#playground`)
  await until(page, RANKED)
  const focused = () => page.evaluate<string>('document.activeElement.id || document.activeElement.textContent')
  const tabTo = async (id: string) => {
    for (let i = 0; i < 60 && (await focused()) !== id; i++) await page.keyboard.press('Tab')
    assert.equal(await focused(), id)
  }
  const first = () => page.evaluate<string>('document.querySelector(".ranked .item").textContent')
  await tabTo('user')
  await page.keyboard.press('Control+A')
  await page.keyboard.type('bob')
  await page.keyboard.press('Enter')
  await until(page, 'document.getElementById("playground-said").textContent.includes("for bob")')
  assert.equal(await first(), 'item-0')
  // What sells counts ten times as much, so the last one comes first.
  await tabTo('weight-1')
  await page.keyboard.press('End')
  await until(page, 'document.querySelector(".ranked .item").textContent === "item-15"')
  await tabTo('weight-0')
  await page.keyboard.press('Home')
  assert.equal(await page.locator('#weight-0').getAttribute('aria-valuetext'), 'click counts 0')
  await page.keyboard.press('Tab')
  await page.keyboard.press('Tab')
  await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  await until(page, 'document.querySelector(".ranked[aria-pressed=true] .item")?.textContent === "item-15"')
  assert.equal(await page.locator('#details-title').textContent(), 'Why item-15')
  await until(page, 'document.querySelector("#neighbours .chip") !== null')
  await tabTo('item-5')
  await page.keyboard.press('Enter')
  await until(page, 'document.getElementById("details-title").textContent === "Why item-5"')
  assert.deepEqual(complaints, [])
  await page.close()
})

test('an id that is markup is shown as text wherever it appears', { skip, timeout: 600_000 }, async () => {
  const evil = telemetryFixture({ name: EVIL }, { ...LEARNING, events: { [EVIL]: 5 } })
  const { page, complaints } = await openPage(
    browser,
    `${await serve(evil, [EVIL, ...ITEMS.map(item => EVIL + item)])}/#playground`,
  )
  await until(page, RANKED)
  await page.locator('.ranked').first().click()
  await until(page, 'document.querySelector("#neighbours .chip") !== null')
  assert.equal(await page.locator('#details-title').textContent(), `Why ${EVIL}`)
  assert.equal(await page.locator('main img').count(), 0)
  assert.equal(await page.title(), 'Millrace')
  assert.deepEqual(complaints, [])
  await page.close()
})

test('where a key is needed the page asks for it, and goes on with it', { skip, timeout: 600_000 }, async () => {
  const hash = createHash('sha256').update('sesame').digest('hex')
  const { page } = await openPage(browser, await serve(telemetry, ITEMS, [`read:${hash}`]))
  await until(page, '!document.getElementById("key-form").hidden')
  assert.deepEqual(await findings(page), [])
  await page.getByLabel('Key with the scope read').fill('sesame')
  await page.keyboard.press('Enter')
  await until(page, READY)
  await page.getByRole('link', { name: 'Playground' }).click()
  await until(page, RANKED)
  await page.close()
})

test('an operator rolls back to a version and goes on to the newest, with a key that may', {
  skip,
  timeout: 600_000,
}, async () => {
  const key = (scope: string, text: string) => `${scope}:${createHash('sha256').update(text).digest('hex')}`
  const keys = [key('read', 'sesame'), key('admin', 'open-wide')]
  const { page, complaints } = await openPage(browser, `${await serve(telemetry, ITEMS, keys)}/#playground`)
  await until(page, '!document.getElementById("key-form").hidden')
  await page.getByLabel('Key with the scope read').fill('sesame')
  await page.keyboard.press('Enter')
  await until(page, READY)
  const versions = page.locator('#rollback')
  await versions.locator('summary').click()
  await until(page, 'document.querySelectorAll("#rollback-list li").length === 2')
  assert.match((await versions.textContent()) ?? '', /Version 2,000 answers, and newer ones as they come/)
  assert.doesNotMatch(
    (await versions.textContent()) ?? '',
    /1,500/,
    'a version that could not be applied is no way back',
  )
  // The first key may only read.
  await page.getByRole('button', { name: 'Roll back: version 1000' }).click()
  await until(page, '!document.getElementById("admin-form").hidden')
  assert.deepEqual(await findings(page), [])
  await page.screenshot({ path: `${PICTURES}/rollback.png`, fullPage: true })
  await page.getByLabel('Key with the scope admin').fill('misspelt')
  await page.keyboard.press('Enter')
  await until(page, 'document.getElementById("rollback-said").textContent.includes("is not known")')
  await page.getByLabel('Key with the scope admin').fill('open-wide')
  await page.keyboard.press('Enter')
  await until(page, 'document.getElementById("rollback-said").textContent.includes("stays, whatever is published")')
  assert.equal(await page.locator('#rollback-list [aria-current=true] .badge').textContent(), 'pinned')
  await page.getByRole('button', { name: 'Unpin' }).click()
  await until(page, 'document.getElementById("rollback-said").textContent.includes("newer ones as they come")')
  await until(page, 'document.querySelector("#rollback-list .badge") === null')
  // The browser itself says that the first try was refused.
  assert.deepEqual(
    complaints.filter(text => !/40[13]/.test(text)),
    [],
  )
  await page.close()
})

test('the colours can be chosen, and are kept', { skip, timeout: 600_000 }, async () => {
  const { page } = await openPage(browser, await serve(telemetry), { width: 1280, scheme: 'light' })
  await until(page, READY)
  const theme = 'document.documentElement.dataset.theme'
  const button = page.getByRole('button', { name: /^Colours/ })
  await button.click()
  assert.equal(await page.evaluate(theme), 'light')
  await button.click()
  assert.equal(await page.evaluate(theme), 'dark')
  await page.reload()
  await until(page, READY)
  assert.equal(await page.evaluate(theme), 'dark')
  await page.close()
})

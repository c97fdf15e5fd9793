/** The leaderboard of challengers in a real browser, over a board that does what the test says. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { after, before, test } from 'node:test'
import type { Browser } from 'playwright-core'
import { type ChallengerBoard, createChallengerRoutes } from '../../src/serve/http/challenger-routes.js'
import type { Challengers } from '../../src/serve/http/challenger-schemas.js'
import type { HttpServer } from '../../src/serve/http/server.js'
import { launch, openPage, browserSkip as skip, until } from '../helpers/browser.js'
import { serveDashboard, telemetryFixture } from '../helpers/dashboard-fixture.js'

const PICTURES = '.data/dashboard'
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const key = (scope: string, text: string) => `${scope}:${createHash('sha256').update(text).digest('hex')}`

let browser: Browser
let server: HttpServer
const board = createBoard()

function createBoard(): ChallengerBoard {
  const entrants = [
    { name: 'shop', changes: {} },
    { name: 'experts', changes: { 'model.architecture': 'mmoe' } },
    { name: 'broken', changes: { 'optimizer.dense.rate': 9 } },
  ]
  let answering = 'shop'
  const standing = (name: string): Omit<Challengers['challengers'][number], 'changes'> => ({
    name,
    configHash: `0${name}`,
    failure: name === 'broken' ? 'the loss is no number' : null,
    labels: 30_000,
    passed: 10_000,
    difference: name === 'experts' ? -0.0123 : 0.004,
    verdict: name === 'experts' ? 'better' : 'open',
    tasks: [
      { task: 'click', labels: 15_000, difference: -0.00042, verdict: 'better' },
      { task: 'buy', labels: 5_000, difference: null, verdict: 'open' },
    ],
  })
  return {
    list() {
      const first = entrants.find(({ name }) => name === answering) ?? { name: '', changes: {} }
      const others = entrants.filter(({ name }) => name !== answering)
      return {
        answering: { ...first, configHash: `0${answering}` },
        challengers: others.map(one => ({ ...standing(one.name), ...one })),
      }
    },
    async promote(name) {
      if (name === 'broken') return `'${name}' has failed`
      answering = name
      return undefined
    },
  }
}

before(async () => {
  mkdirSync(PICTURES, { recursive: true })
  const keys = [key('read', 'sesame'), key('admin', 'open-wide')]
  server = await serveDashboard(telemetryFixture({ challengers: true }), [createChallengerRoutes(board)], { keys })
  if (skip === false) browser = await launch()
})

after(async () => {
  await browser?.close()
  await server.close()
})

test('the leaderboard shows who learns beside, and a key that may lets one of them answer', {
  skip,
  timeout: 600_000,
}, async () => {
  const { page, complaints } = await openPage(browser, server.url)
  await until(page, '!document.getElementById("key-form").hidden')
  await page.getByLabel('Key with the scope read').fill('sesame')
  await page.keyboard.press('Enter')
  await until(page, 'document.querySelectorAll("#challengers tbody tr").length === 3')
  const rows = await page.locator('#challengers tbody tr').allTextContents()
  assert.match(rows[0] ?? '', /^shopanswers/)
  assert.match(rows[1] ?? '', /^expertsbetter beyond noise−1\.23 %−0\.00042–20,000Promote$/)
  assert.match(rows[2] ?? '', /^brokenfailed/)
  assert.ok(await page.getByRole('button', { name: 'Promote broken' }).isDisabled())
  await page.evaluate(axe)
  const { violations } = await page.evaluate<{ violations: { id: string; impact: string }[] }>('axe.run("#beside")')
  assert.deepEqual(violations, [])
  await page.locator('#beside').screenshot({ path: `${PICTURES}/challengers.png` })

  await page.getByRole('button', { name: 'Promote experts' }).click()
  await until(page, '!document.getElementById("promote-form").hidden')
  await page.getByLabel('Key that may promote').fill('open-wide')
  await page.keyboard.press('Enter')
  await until(
    page,
    'document.getElementById("challengers-said").textContent.startsWith("experts answers from here on")',
  )
  await until(page, 'document.querySelector("#challengers tbody th").textContent === "experts"')
  assert.deepEqual(
    complaints.filter(text => !/40[13]/.test(text)),
    [],
  )
  await page.close()
})

test('the leaderboard can be read on a phone and on a wide screen, light and dark', {
  skip,
  timeout: 600_000,
}, async () => {
  for (const [width, scheme] of [
    [390, 'light'],
    [390, 'dark'],
    [820, 'light'],
    [1440, 'dark'],
  ] as const) {
    const { page } = await openPage(browser, server.url, { width, scheme })
    await until(page, '!document.getElementById("key-form").hidden')
    await page.getByLabel('Key with the scope read').fill('sesame')
    await page.keyboard.press('Enter')
    await until(page, 'document.querySelectorAll("#challengers tbody tr").length === 3')
    await page.locator('#challengers button').first().click()
    await until(page, '!document.getElementById("promote-form").hidden')
    await page.evaluate(axe)
    const { violations } = await page.evaluate<{ violations: { id: string; impact: string }[] }>('axe.run("#beside")')
    assert.deepEqual(violations, [], `${width} ${scheme}`)
    const isWithin = 'document.documentElement.scrollWidth <= document.documentElement.clientWidth'
    assert.ok(await page.evaluate(isWithin), `nothing sticks out at ${width}`)
    await page.locator('#beside').screenshot({ path: `${PICTURES}/challengers-${width}-${scheme}.png` })
    await page.close()
  }
})

test('over HTTP: reading needs one scope, promoting another; what can not be is said', async () => {
  const ask = async (method: string, path: string, token: string) => {
    const answer = await fetch(`${server.url}/v1/challengers${path}`, {
      method,
      headers: { authorization: `Bearer ${token}` },
    })
    return { status: answer.status, type: answer.headers.get('content-type') ?? '' }
  }
  assert.equal((await ask('GET', '', 'sesame')).status, 200)
  assert.equal((await ask('GET', '', 'nobody')).status, 401)
  assert.equal((await ask('POST', '/shop/promote', 'sesame')).status, 403)
  assert.equal((await ask('POST', '/nobody/promote', 'open-wide')).status, 404)
  const refused = await ask('POST', '/broken/promote', 'open-wide')
  assert.deepEqual([refused.status, refused.type.split(';')[0]], [409, 'application/problem+json'])
})

/** Who learns beside what answers, how they stand, and a button that lets one answer; that needs a key with the scope admin. */
import type { Challengers } from '../../http/challenger-schemas.js'
import type { Status } from '../../telemetry/status.js'
import { createAdminForm } from './admin-form.js'
import { ask } from './api.js'
import { byId, h, setText, table } from './dom.js'
import { grouped } from './format.js'

const ASK_EVERY_MS = 4000
const VERDICTS = { better: 'better beyond noise', worse: 'worse beyond noise', open: 'not told apart' }

export function startChallengers(): (status: Status) => void {
  const box = byId('challengers')
  const said = byId('challengers-said')
  const asAdmin = createAdminForm('promote', said)
  let askedAt = Number.NEGATIVE_INFINITY

  async function show(): Promise<void> {
    try {
      const found = await ask<Challengers>('/v1/challengers')
      // What somebody is about to press stays where it is.
      if (box.childElementCount === 0 || !box.contains(document.activeElement))
        box.replaceChildren(board(found, promote))
    } catch (error) {
      if (box.childElementCount === 0) setText(said, (error as Error).message)
    }
  }

  const promote = (name: string) =>
    asAdmin(`Promoting ${name}…`, async () => {
      const path = `/v1/challengers/${encodeURIComponent(name)}/promote`
      const { answering } = await ask<{ answering: string }>(path, undefined, undefined, 'POST')
      box.replaceChildren()
      await show()
      return `${answering} answers from here on; what answered so far is a challenger.`
    })

  return ({ about, now }) => {
    byId('beside').hidden = !about.challengers
    if (!about.challengers || now.at - askedAt < ASK_EVERY_MS) return
    askedAt = now.at
    void show()
  }
}

function board({ answering, challengers }: Challengers, promote: (name: string) => Promise<unknown>): HTMLElement {
  const tasks = challengers[0]?.tasks.map(({ task }) => task) ?? []
  const first = [
    named(answering),
    h('span', { class: 'badge full' }, 'answers'),
    ...tasks.map(() => '–'),
    '–',
    '–',
    null,
  ]
  const others = challengers.map(one => [
    named(one),
    one.failure === null
      ? h('span', { class: `badge ${one.verdict === 'better' ? 'full' : ''}` }, VERDICTS[one.verdict])
      : h('span', { class: 'badge held', title: one.failure }, 'failed'),
    signed(one.difference, 100, 2, ' %'),
    ...one.tasks.map(({ difference }) => signed(difference, 1, 5)),
    grouped(one.labels - one.passed),
    h(
      'button',
      {
        type: 'button',
        disabled: one.failure !== null,
        'aria-label': `Promote ${one.name}`,
        onclick: () => void promote(one.name),
      },
      'Promote',
    ),
  ])
  const heads = [
    'name',
    'against what answers',
    'loss, all tasks',
    ...tasks.map(task => `${task} loss`),
    'labels compared',
    'by hand',
  ]
  return table(heads, [first, ...others], 'Challengers against what answers')
}

function named({ name, changes }: Challengers['answering']): HTMLElement {
  const text = Object.entries(changes).map(([key, value]) => `${key}: ${JSON.stringify(value)}`)
  return h('span', { title: text.join(', ') || 'the configuration itself' }, name)
}

function signed(value: number | null, times: number, digits: number, unit = ''): string {
  if (value === null) return '–'
  return `${value > 0 ? '+' : value < 0 ? '−' : ''}${Math.abs(value * times).toFixed(digits)}${unit}`
}

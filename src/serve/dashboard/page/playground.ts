/** Pick a user, see what happened lately and what would be shown; move the weights; look into one item. */
import type { Status } from '../../telemetry/status.js'
import { ApiError } from './api.js'
import { showExplanation, showNeighbours } from './details.js'
import { byId, h, setText } from './dom.js'
import { clock, day, grouped } from './format.js'
import {
  explain,
  type ModelInfo,
  modelInfo,
  recentEvents,
  similar,
  someUsers,
  topItems,
  type UserEvent,
} from './model-api.js'
import { createRanking } from './ranking.js'
import { startRollback } from './rollback.js'
import { createSliders } from './sliders.js'
import { publishedOf } from './state.js'

const SIZE = 12
const NEIGHBOURS = 8
/** While nothing can be asked yet. */
const RETRY_MS = 3000
/** From the publication of a version until it answers, about. */
const TAKEN_MS = 1200

export function startPlayground(status: () => Status | undefined) {
  const input = byId('user') as HTMLInputElement
  const known = byId('users')
  const message = byId('playground-message')
  const board = byId('playground-board')
  let users: string[] = []
  let model: ModelInfo | undefined
  let user: string | undefined
  let nextUser = 0
  let published: number | undefined
  let isOpening = false
  let timer = 0
  let asking = new AbortController()
  let looking = new AbortController()

  const sliders = createSliders(() => void rank())
  const ranking = createRanking(item => void look(item))

  startRollback(changed => {
    model = changed
    showVersion()
    void rank()
  })
  byId('user-form').addEventListener('submit', event => {
    event.preventDefault()
    if (input.value.trim() !== '') void choose(input.value.trim())
  })
  input.addEventListener('change', () => {
    if (users.includes(input.value)) void choose(input.value)
  })
  byId('other-user').addEventListener('click', () => {
    const next = users[nextUser++ % Math.max(1, users.length)]
    if (next !== undefined) void choose(next)
  })

  /** Loads what all of it needs; called again until the model can answer. */
  async function open(): Promise<void> {
    if (isOpening || model !== undefined) return
    isOpening = true
    clearTimeout(timer)
    try {
      model = await modelInfo()
      users = await someUsers(100)
      known.replaceChildren(...users.map(value => h('option', { value })))
      message.hidden = true
      board.hidden = false
      sliders.show(model.tasks)
      showVersion()
      const first = users[nextUser++]
      if (user === undefined && first !== undefined) await choose(first)
      if (user === undefined && first === undefined) ranking.clear('Type the id of a user.')
    } catch (error) {
      model = undefined
      showMessage(error)
      timer = setTimeout(() => {
        if (!byId('view-playground').hidden) void open()
      }, RETRY_MS)
    } finally {
      isOpening = false
    }
  }

  function showMessage(error: unknown): void {
    board.hidden = true
    message.hidden = false
    const { status: code, message: detail } = error as ApiError
    const state = status()?.now.state
    const isWaiting = state === 'learning' || state === 'preparing' || state === 'starting' || state === 'restoring'
    if (code === 404) {
      setText(
        message,
        isWaiting
          ? 'The playground opens when a version of the model can be asked.'
          : 'This instance answers no requests for scores. `millrace serve` does.',
      )
    } else if (code === 503)
      setText(message, 'No version of the model has been published yet. It opens by itself when there is one.')
    else setText(message, `The model can not be asked: ${detail}`)
  }

  function showVersion(): void {
    if (model !== undefined) setText(byId('playground-version'), `answers by version ${grouped(model.version)}`)
  }

  async function choose(id: string): Promise<void> {
    user = id
    input.value = id
    byId('explanation').replaceChildren(h('p', { class: 'note' }, 'Pick an item to see why it is where it is.'))
    byId('neighbours').replaceChildren()
    byId('details-title').textContent = 'Why'
    ranking.select(undefined)
    await Promise.all([rank(true), showRecent(id)])
  }

  async function rank(afresh = false): Promise<void> {
    if (user === undefined || model === undefined) return
    asking.abort()
    asking = new AbortController()
    if (afresh) ranking.clear('Asking the model…')
    try {
      const { version, items } = await topItems(user, SIZE, sliders.weights(), asking.signal)
      model = { ...model, version }
      showVersion()
      if (items.length === 0)
        ranking.clear('There is nothing to show: the catalogue is empty, or top-N (`recommend`) is not configured.')
      else ranking.show(items, model.tasks)
      setText(byId('playground-said'), `${items.length} items for ${user}; first ${items[0]?.item ?? 'none'}`)
    } catch (error) {
      if ((error as Error).name !== 'AbortError') ranking.clear(`The model did not answer: ${(error as Error).message}`)
    }
  }

  function recentItem({ item, weight, eventTime }: UserEvent): HTMLElement {
    const times = weight > 1.5 ? `, ${Math.round(weight)} times` : ''
    return h(
      'li',
      {},
      h('button', { type: 'button', class: 'chip', onclick: () => void look(item) }, item),
      h('span', { class: 'note' }, `${day(eventTime)}, ${clock(eventTime)}${times}`),
    )
  }

  async function showRecent(id: string): Promise<void> {
    const box = byId('recent')
    try {
      const events = await recentEvents(id)
      if (id !== user) return
      box.replaceChildren(
        ...(events.length === 0
          ? [h('li', { class: 'note' }, 'Nothing is known of this user.')]
          : events.slice(0, 8).map(recentItem)),
      )
    } catch (error) {
      const text =
        error instanceof ApiError && error.status === 404 ? 'Nothing is known of this user.' : (error as Error).message
      box.replaceChildren(h('li', { class: 'note' }, text))
    }
  }

  async function look(item: string): Promise<void> {
    if (user === undefined) return
    looking.abort()
    looking = new AbortController()
    const { signal } = looking
    ranking.select(item)
    const title = byId('details-title')
    setText(title, `Why ${item}`)
    // On a phone it is far below.
    if (title.getBoundingClientRect().top > innerHeight) title.scrollIntoView({ block: 'start' })
    byId('neighbours').replaceChildren()
    const why = explain(user, item, signal).then(showExplanation)
    const near = similar(item, NEIGHBOURS, signal).then(items => showNeighbours(items, next => void look(next)))
    for (const [box, answer] of [
      ['explanation', why],
      ['neighbours', near],
    ] as const) {
      answer.catch((error: Error) => {
        if (error.name !== 'AbortError') byId(box).replaceChildren(h('p', { class: 'note' }, error.message))
      })
    }
  }

  return {
    open: () => void open(),
    /** A new version: the next answer is by it. */
    onStatus({ snapshots }: Status) {
      const version = publishedOf(snapshots).at(-1)?.version
      if (version === published || byId('view-playground').hidden) return
      published = version
      if (model === undefined) void open()
      else setTimeout(() => void rank(), TAKEN_MS)
    },
  }
}

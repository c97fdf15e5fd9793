/** The page: what the stream says goes into the status, and at most once a frame the status goes onto the screen. */
import type { Changes, Status } from '../../telemetry/status.js'
import { keepKey } from './api.js'
import { startChallengers } from './challengers.js'
import { follow, type Line } from './connection.js'
import { byId, setText } from './dom.js'
import { startHeadline } from './headline.js'
import { startLearning } from './learning.js'
import { startPanels } from './panels.js'
import { startPlayground } from './playground.js'
import { redrawAll } from './plot.js'
import { changed } from './state.js'
import { startTheme } from './theme.js'
import { startViews } from './views.js'

let status: Status | undefined
let isDue = false
const shows = [startHeadline(), startLearning(), startPanels(), startChallengers()]
const playground = startPlayground(() => status)

startTheme(redrawAll)
const views = startViews(view => {
  redrawAll()
  if (view === 'playground') playground.open()
})

const connection = follow((kind, data) => {
  status = changed(status, kind, data as Changes[typeof kind])
  if (isDue) return
  isDue = true
  requestAnimationFrame(draw)
}, showLine)

function draw(): void {
  isDue = false
  if (status === undefined) return
  document.documentElement.dataset.ready = ''
  views.learns(status.about.learns)
  for (const show of shows) show(status)
  playground.onStatus(status)
}

function showLine(line: Line, detail: string): void {
  document.documentElement.dataset.line = line
  const notice = byId('notice')
  const form = byId('key-form')
  form.hidden = line !== 'refused'
  notice.hidden = line !== 'lost' || status === undefined
  const first = byId('first')
  if (line === 'lost') {
    setText(notice, 'Disconnected. What you see is the last that was heard; trying again.')
    notice.title = detail
    if (status === undefined) setText(first, 'Nobody answers. Trying again.')
  }
  if (line === 'connecting') setText(first, 'Connecting…')
}

byId('key-form').addEventListener('submit', event => {
  event.preventDefault()
  const input = byId('key') as HTMLInputElement
  keepKey(input.value.trim())
  input.value = ''
  connection.again()
})

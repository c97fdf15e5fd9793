/** How well it learns: a curve a task beside what a constant would reach, with drift alarms and versions as marks. */
import type { Alarm, Status } from '../../telemetry/status.js'
import { type CurveTask, curveTasks, figureSpec, type Lens, type TaskCurve, taskCurve } from './curves.js'
import { byId, h, setText } from './dom.js'
import { clock, day, figure, grouped, percent } from './format.js'
import { type Mark, Plot } from './plot.js'
import { publishedOf } from './state.js'

/** Shown at once; the others on demand. */
const FIRST_ALARMS = 2

interface Card {
  element: HTMLElement
  plot: Plot
  value: HTMLElement
  verdict: HTMLElement
}

const HEADS: Record<string, string> = {
  binary: 'probability',
  regression: 'value',
  ordinal: 'level',
  distribution: 'level',
  categorical: 'probability',
  'top-n': 'which item is next',
}

export function startLearning(): (status: Status) => void {
  const grid = byId('curves')
  const alarms = byId('alarms')
  const cards = new Map<string, Card>()
  let lens: Lens = 'ranking'
  let last: Status | undefined

  for (const input of document.querySelectorAll<HTMLInputElement>('input[name=lens]')) {
    input.addEventListener('change', () => {
      lens = input.value as Lens
      if (last !== undefined) show(last)
    })
  }

  function show(status: Status): void {
    last = status
    if (status.windows.length === 0) return
    const tasks = curveTasks(status)
    grid.querySelector('.empty')?.remove()
    for (const [colour, task] of tasks.entries()) {
      const spec = figureSpec(task, lens)
      const key = `${task.name} ${spec.name} ${task.rival ?? ''}`
      const curve = taskCurve(status, task, spec)
      let card = cards.get(task.name)
      if (card === undefined || card.element.dataset.key !== key) {
        const made = createCard(task, lens, colour)
        made.element.dataset.key = key
        if (card === undefined) grid.append(made.element)
        else card.element.replaceWith(made.element)
        cards.set(task.name, made)
        card = made
      }
      fill(card, curve, task, status)
    }
    showAlarms(alarms, status)
  }

  function fill({ plot, value, verdict, element }: Card, curve: TaskCurve, task: CurveTask, status: Status): void {
    const spec = figureSpec(task, lens)
    setText(value, figure(curve.last))
    setText(verdict, verdictOf(curve, spec))
    element.classList.toggle('waiting', curve.last === null)
    const marks: Mark[] = [
      ...publishedOf(status.snapshots).map(({ records }): Mark => ({ x: records, kind: 'version' })),
      ...status.alarms
        .filter(alarm => alarm.task === task.name)
        .map(({ records }): Mark => ({ x: records, kind: 'alarm' })),
    ]
    const [records = [], raw = [], smooth = [], baseline = []] = curve.columns
    plot.update([records, raw, smooth, ...(hasBaseline(task, spec.name) ? [baseline] : [])], marks)
  }

  return show
}

function createCard(task: CurveTask, lens: Lens, colour: number): Card {
  const spec = figureSpec(task, lens)
  const plot = new Plot({
    title: `${task.name}: ${spec.label}`,
    x: { label: 'records', kind: 'count' },
    y: { label: spec.label, kind: 'number' },
    series: [
      { label: spec.label, colour, style: 'faint' },
      { label: spec.label, colour, style: 'line' },
      ...(hasBaseline(task, spec.name) ? [{ label: spec.baselineLabel, colour: -1, style: 'dashed' } as const] : []),
    ],
  })
  const value = h('span', { class: 'figure' }, '–')
  const verdict = h('p', { class: 'verdict' }, '')
  const element = h(
    'article',
    { class: 'card curve', 'aria-label': task.name },
    h(
      'div',
      { class: 'card-head' },
      h('div', {}, h('h3', {}, task.name), h('p', { class: 'note' }, HEADS[task.head] ?? task.head)),
      h('div', { class: 'headline-figure' }, value, h('span', { class: 'unit' }, spec.label)),
    ),
    verdict,
    plot.element,
  )
  return { element, plot, value, verdict }
}

const hasBaseline = ({ head, rival }: CurveTask, name: string) =>
  head === 'top-n' ? rival !== undefined : name !== 'mae'

function verdictOf(curve: TaskCurve, spec: { name: string; better: string; baselineLabel: string }): string {
  if (curve.last === null) return 'no label has matured yet'
  const { last, baseline } = curve
  const labels = `${grouped(curve.labels)} labels`
  if (baseline === null) return `${labels} judged before they were learned`
  if (spec.name === 'auc') return `${labels}; chance is 0.5`
  const gain = spec.better === 'lower' ? 1 - last / baseline : last / baseline - 1
  const word = gain >= 0 ? 'better' : 'worse'
  return `${percent(Math.abs(gain))} ${word} than ${spec.baselineLabel}, over ${labels}`
}

function showAlarms(element: HTMLElement, { alarms, about }: Status): void {
  const names = new Set(about.tasks.map(({ name }) => name))
  const shown = alarms.filter(({ task }) => names.has(task)).reverse()
  if (element.dataset.count === String(alarms.length)) return
  element.dataset.count = String(alarms.length)
  const rest = shown.slice(FIRST_ALARMS)
  element.replaceChildren(
    h('h3', {}, `${alarms.length} ${alarms.length === 1 ? 'alarm' : 'alarms'}`),
    h('ul', {}, ...shown.slice(0, FIRST_ALARMS).map(alarmLine)),
    ...(rest.length === 0
      ? []
      : [h('details', {}, h('summary', {}, `${rest.length} earlier`), h('ul', {}, ...rest.map(alarmLine)))]),
  )
  element.hidden = alarms.length === 0
}

/** Those of the publish gate are ratios: to the loss of a constant, to what happened. */
const ALARM_WORDS: Record<string, [what: string, by: string]> = {
  'gate-loss': ['loss over that of a constant', 'versions are held back'],
  'gate-calibration': ['promised over what happened', 'versions are held back'],
}

function alarmLine({ task, detector, eventTime, lossBefore, lossNow }: Alarm): HTMLElement {
  const [what, by] = ALARM_WORDS[detector] ?? ['loss', detector]
  return h(
    'li',
    {},
    h('strong', {}, task),
    `, ${day(eventTime)}, ${clock(eventTime)}: ${what} ${figure(lossBefore)} → ${figure(lossNow)} `,
    h('span', { class: 'note' }, `(${by})`),
  )
}

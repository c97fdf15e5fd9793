/** The list of the best items: a button each, that glides to its new place when the order changes. */
import { byId, h, setText, sized } from './dom.js'
import { value as valueText } from './format.js'
import type { RankedItem } from './model-api.js'

export interface Ranking {
  show(items: readonly RankedItem[], tasks: readonly { name: string; head: string }[]): void
  select(item: string | undefined): void
  clear(text: string): void
}

export function createRanking(onPick: (item: string) => void): Ranking {
  const list = byId('ranking')
  const empty = byId('ranking-empty')
  const rows = new Map<string, HTMLElement>()
  let before = new Map<string, number>()
  let selected: string | undefined

  function createRow(item: string, tasks: readonly { name: string }[]): HTMLElement {
    return h(
      'li',
      {},
      h(
        'button',
        { type: 'button', class: 'ranked', onclick: () => onPick(item) },
        h('span', { class: 'place' }),
        h('span', { class: 'item' }, item),
        h('span', { class: 'moved', 'aria-hidden': 'true' }),
        h(
          'span',
          { class: 'values' },
          ...tasks.map(({ name }, index) =>
            h(
              'span',
              { class: `mini series-${index % 8}`, title: name },
              h('span', { class: 'visually-hidden' }, `${name} `),
              h('span', { class: 'mini-value' }),
              h('span', { class: 'track' }, h('span', { class: 'fill' })),
            ),
          ),
        ),
      ),
    )
  }

  return {
    show(items, tasks) {
      empty.hidden = true
      list.hidden = false
      const tops = new Map([...rows].map(([item, row]) => [item, row.getBoundingClientRect().top]))
      const most = tasks.map(({ name }) => Math.max(1e-9, ...items.map(({ values }) => Math.abs(values[name] ?? 0))))
      const key = tasks.map(({ name }) => name).join()
      if (list.dataset.tasks !== key) rows.clear()
      list.dataset.tasks = key
      const shown = items.map((ranked, index) => {
        const row = rows.get(ranked.item) ?? createRow(ranked.item, tasks)
        setText(row.querySelector('.place') as Element, String(index + 1))
        const minis = row.querySelectorAll('.mini')
        for (const [at, { name }] of tasks.entries()) {
          const one = ranked.values[name] ?? 0
          setText(minis[at]?.querySelector('.mini-value') as Element, valueText(one))
          sized(minis[at]?.querySelector('.fill') as HTMLElement, Math.abs(one) / (most[at] ?? 1))
        }
        showMove(row.querySelector('.moved') as HTMLElement, before.get(ranked.item), index)
        row.firstElementChild?.setAttribute('aria-pressed', String(ranked.item === selected))
        return [ranked.item, row] as const
      })
      const focused = document.activeElement
      list.replaceChildren(...shown.map(([, row]) => row))
      // Moving an element takes its focus away.
      if (focused instanceof HTMLElement && list.contains(focused)) focused.focus({ preventScroll: true })
      rows.clear()
      for (const [item, row] of shown) rows.set(item, row)
      before = new Map(items.map(({ item }, index) => [item, index]))
      glide(shown, tops)
    },
    select(item) {
      selected = item
      for (const [name, row] of rows) row.firstElementChild?.setAttribute('aria-pressed', String(name === item))
    },
    clear(text) {
      rows.clear()
      before = new Map()
      list.replaceChildren()
      list.hidden = true
      empty.hidden = false
      setText(empty, text)
    },
  }
}

function showMove(element: HTMLElement, from: number | undefined, to: number): void {
  const by = from === undefined ? 0 : from - to
  setText(element, by === 0 ? '' : `${by > 0 ? '▲' : '▼'}${Math.abs(by)}`)
  element.classList.toggle('up', by > 0)
}

function glide(rows: readonly (readonly [string, HTMLElement])[], tops: ReadonlyMap<string, number>): void {
  if (matchMedia('(prefers-reduced-motion: reduce)').matches) return
  for (const [item, row] of rows) {
    const from = tops.get(item)
    const by = from === undefined ? 0 : from - row.getBoundingClientRect().top
    if (by !== 0)
      row.animate([{ transform: `translateY(${by}px)` }, { transform: 'none' }], { duration: 260, easing: 'ease-out' })
  }
}

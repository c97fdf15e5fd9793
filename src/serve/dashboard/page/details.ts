/** One item for one user: what each part of the model says, which fields speak for and against it, and its neighbours. */
import { byId, h, sized } from './dom.js'
import { signed, value as valueText } from './format.js'
import type { Explanation, Neighbour } from './model-api.js'

const MOST_SLOTS = 10

export function showExplanation({ tasks }: Explanation): void {
  const box = byId('explanation')
  const open = box.querySelector<HTMLInputElement>('input:checked')?.value
  const names = Object.keys(tasks)
  const chosen = open !== undefined && names.includes(open) ? open : names[0]
  const body = h('div', { class: 'explained' })
  const choose = (name: string | undefined) => {
    const task = name === undefined ? undefined : tasks[name]
    body.replaceChildren(...(task === undefined ? [] : explained(task)))
  }
  box.replaceChildren(
    h(
      'fieldset',
      { class: 'segmented' },
      h('legend', { class: 'visually-hidden' }, 'Explain which task'),
      ...names.map(name =>
        h(
          'label',
          {},
          h('input', {
            type: 'radio',
            name: 'explained-task',
            value: name,
            checked: name === chosen,
            onchange: () => choose(name),
          }),
          h('span', {}, name, ' ', h('b', {}, valueText(tasks[name]?.value ?? 0))),
        ),
      ),
    ),
    body,
  )
  choose(chosen)
}

function explained({ classes, parts, slots, gates }: Explanation['tasks'][string]): HTMLElement[] {
  const sorted = [...slots].sort((a, b) => Math.abs(b.contribution) - Math.abs(a.contribution)).slice(0, MOST_SLOTS)
  const most = Math.max(1e-9, ...sorted.map(({ contribution }) => Math.abs(contribution)))
  return [
    ...(classes === undefined
      ? []
      : [
          h('h4', {}, 'Classes'),
          h(
            'dl',
            { class: 'pairs' },
            ...Object.entries(classes).map(([name, share]) =>
              h('div', {}, h('dt', {}, name), h('dd', {}, valueText(share))),
            ),
          ),
        ]),
    ...(parts.length === 0
      ? []
      : [
          h('h4', {}, 'Parts of the model'),
          h(
            'dl',
            { class: 'pairs' },
            ...parts.map(({ name, value }) => h('div', {}, h('dt', {}, name), h('dd', {}, signed(value)))),
          ),
        ]),
    ...(sorted.length === 0
      ? []
      : [
          h('h4', {}, 'What speaks for it, and against'),
          h(
            'dl',
            { class: 'diverging' },
            ...sorted.map(({ name, contribution }) =>
              h(
                'div',
                {},
                h('dt', {}, name),
                h(
                  'dd',
                  { class: contribution < 0 ? 'against' : 'for' },
                  h('span', { class: 'axis' }, sized(h('span', { class: 'fill' }), Math.abs(contribution) / most / 2)),
                  h('span', { class: 'count' }, signed(contribution)),
                ),
              ),
            ),
          ),
        ]),
    ...(gates === undefined || gates.length === 0
      ? []
      : [
          h('h4', {}, 'Experts'),
          h(
            'div',
            {
              class: 'gates',
              role: 'img',
              'aria-label': `Shares of the experts: ${gates.map(gate => `${Math.round(gate * 100)} %`).join(', ')}`,
            },
            ...gates.map((gate, index) =>
              sized(
                h('span', { class: `gate series-${index % 8}` }, gate > 0.12 ? `${Math.round(gate * 100)} %` : ''),
                gate,
              ),
            ),
          ),
        ]),
  ]
}

export function showNeighbours(items: readonly Neighbour[], onPick: (item: string) => void): void {
  const box = byId('neighbours')
  box.replaceChildren(
    ...(items.length === 0
      ? [h('p', { class: 'note' }, 'None are known.')]
      : [
          h(
            'ul',
            { class: 'chips' },
            ...items.map(({ item, score }) =>
              h(
                'li',
                {},
                h(
                  'button',
                  {
                    type: 'button',
                    class: 'chip',
                    title: `similarity ${score.toFixed(3)}`,
                    onclick: () => onPick(item),
                  },
                  item,
                ),
              ),
            ),
          ),
        ]),
  )
}

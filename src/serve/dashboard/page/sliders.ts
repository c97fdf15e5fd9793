/** How much each task counts in the order: a slider a task, from nothing over what is configured to ten times as much. */
import { byId, h, setText } from './dom.js'

const MIDDLE = 50

/** 0 → 0, 50 → 1, 100 → 10 */
function factorOf(position: number): number {
  return position <= MIDDLE ? position / MIDDLE : 10 ** ((position - MIDDLE) / MIDDLE)
}

export interface Sliders {
  /** Makes them for these tasks, unless they are there. */
  show(tasks: readonly { name: string; rank: number }[]): void
  weights(): Record<string, number>
}

export function createSliders(onChange: () => void): Sliders {
  const box = byId('sliders')
  const reset = byId('reset-weights')
  const made = new Map<string, { rank: number; input: HTMLInputElement; say(): void }>()

  reset.addEventListener('click', () => {
    for (const { input, say } of made.values()) {
      input.value = String(MIDDLE)
      say()
    }
    onChange()
  })

  return {
    show(tasks) {
      if (made.size === tasks.length && tasks.every(({ name }) => made.has(name))) return
      made.clear()
      box.replaceChildren(
        ...tasks.map(({ name, rank }, index) => {
          const id = `weight-${index}`
          const output = h('output', { for: id })
          const input = h('input', { id, type: 'range', min: 0, max: 100, step: 1, value: MIDDLE })
          const say = () => {
            const weight = weightText(rank * factorOf(Number(input.value)))
            setText(output, weight)
            input.setAttribute('aria-valuetext', `${name} counts ${weight}`)
          }
          input.addEventListener('input', () => {
            say()
            onChange()
          })
          made.set(name, { rank, input, say })
          say()
          return h('div', { class: `slider series-${index % 8}` }, h('label', { for: id }, name), output, input)
        }),
      )
    },
    weights: () =>
      Object.fromEntries([...made].map(([name, { rank, input }]) => [name, rank * factorOf(Number(input.value))])),
  }
}

const weightText = (weight: number) => (weight >= 100 ? weight.toFixed(0) : String(Number(weight.toPrecision(2))))

/** Elements from code. Text is always a text node: whatever an id holds, it is shown and never run. */

export type Child = Node | string | number | undefined | null | readonly Child[]
type Attributes = Record<string, string | number | boolean | undefined | null | ((event: Event) => void)>

export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue
    if (typeof value === 'function') element.addEventListener(name.slice(2), value)
    else element.setAttribute(name, value === true ? '' : String(value))
  }
  append(element, children)
  return element
}

function append(parent: Node, children: readonly Child[]): void {
  for (const child of children) {
    if (child === undefined || child === null) continue
    if (typeof child === 'object' && !(child instanceof Node)) append(parent, child)
    else parent.appendChild(child instanceof Node ? child : document.createTextNode(String(child)))
  }
}

/** An element of the page's own markup, which has it. */
export function byId(id: string): HTMLElement {
  const element = document.getElementById(id)
  if (element === null) throw new Error(`the page lacks #${id}`)
  return element
}

/** Only if it differs, so that nothing is laid out or announced for nothing. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text
}

/** Attributes of style are forbidden by the page's policy; properties are not. */
export function sized(element: HTMLElement, share: number, side: 'width' | 'height' = 'width'): HTMLElement {
  element.style[side] = `${Math.max(0, Math.min(1, share)) * 100}%`
  return element
}

/** A heading, a line about it, and what it is about. */
export const card = (title: string, note: string, content: HTMLElement): HTMLElement =>
  h('article', { class: 'card', 'aria-label': title }, h('h3', {}, title), h('p', { class: 'note' }, note), content)

export function table(heads: readonly string[], rows: readonly (readonly Child[])[], label: string): HTMLElement {
  return h(
    'div',
    { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': label },
    h(
      'table',
      {},
      h('thead', {}, h('tr', {}, ...heads.map(head => h('th', { scope: 'col' }, head)))),
      h(
        'tbody',
        {},
        ...rows.map(([first, ...rest]) =>
          h('tr', {}, h('th', { scope: 'row' }, first), ...rest.map(cell => h('td', {}, cell))),
        ),
      ),
    ),
  )
}

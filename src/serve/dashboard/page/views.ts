/** Two views of one page, by the address behind #. */
import { byId } from './dom.js'

const VIEWS = ['learner', 'playground'] as const
export type View = (typeof VIEWS)[number]

/** learns: whether there is anything to see of learning; called again when that is known. */
export function startViews(onView: (view: View) => void): { learns(learns: boolean): void } {
  let isLearner = true
  const show = () => {
    const wanted = location.hash.slice(1)
    const view = isLearner ? (VIEWS.find(name => name === wanted) ?? 'learner') : 'playground'
    byId('to-learner').hidden = !isLearner
    for (const name of VIEWS) {
      byId(`view-${name}`).hidden = name !== view
      const link = byId(`to-${name}`)
      if (name === view) link.setAttribute('aria-current', 'page')
      else link.removeAttribute('aria-current')
    }
    onView(view)
  }
  addEventListener('hashchange', show)
  show()
  return {
    learns(learns) {
      if (learns === isLearner) return
      isLearner = learns
      show()
    },
  }
}

/** What needs a key with the scope admin: it is tried, and where the key at hand may not do it, a form asks for one that may. */
import { isRefused, keepKey, keptKey } from './api.js'
import { byId, setText } from './dom.js'

/** Does it, and returns what is to be said then. */
type Work = () => Promise<string>

/** name: of the form's and the field's ids. said: where it is told how it went. */
export function createAdminForm(name: string, said: HTMLElement): (doing: string, work: Work) => Promise<void> {
  const form = byId(`${name}-form`)
  const input = byId(`${name}-key`) as HTMLInputElement
  let wanted: { doing: string; work: Work } | undefined

  /** Whether the key was refused. */
  async function attempt(doing: string, work: Work): Promise<boolean> {
    wanted = { doing, work }
    setText(said, doing)
    let needsKey = false
    try {
      setText(said, await work())
    } catch (error) {
      needsKey = isRefused(error)
      setText(said, (error as Error).message)
    }
    form.hidden = !needsKey
    return needsKey
  }

  form.addEventListener('submit', async event => {
    event.preventDefault()
    const before = keptKey()
    keepKey(input.value.trim())
    input.value = ''
    if (wanted === undefined) return
    // One that may not do it, or is misspelt, does not take the place of one that may read.
    if ((await attempt(wanted.doing, wanted.work)) && before !== undefined) keepKey(before)
  })
  return async (doing, work) => void (await attempt(doing, work))
}

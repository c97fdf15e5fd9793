/** Which version answers in the playground, and the way back to another one; that needs a key with the scope admin. */
import { createAdminForm } from './admin-form.js'
import { byId, h, setText } from './dom.js'
import { clock, day, grouped } from './format.js'
import { type KnownVersion, knownVersions, type ModelInfo, modelInfo, pinTo } from './model-api.js'

const SHOWN = 12

export function startRollback(onChange: (model: ModelInfo) => void): void {
  const box = byId('rollback') as HTMLDetailsElement
  const list = byId('rollback-list')
  const said = byId('rollback-said')
  const asAdmin = createAdminForm('admin', said)

  async function show(): Promise<void> {
    try {
      const [model, versions] = [await modelInfo(), await knownVersions()]
      list.replaceChildren(...linesOf(model, versions, pin))
      if (said.textContent === '') setText(said, stateText(model))
    } catch (error) {
      setText(said, (error as Error).message)
    }
  }

  const pin = (version: number | undefined) =>
    asAdmin(
      version === undefined ? 'Going on to the newest version…' : `Going to version ${grouped(version)}…`,
      async () => {
        const model = await pinTo(version)
        onChange(model)
        await show()
        return stateText(model)
      },
    )

  box.addEventListener('toggle', () => {
    setText(said, '')
    if (box.open) void show()
  })
}

function stateText({ version, pinned }: ModelInfo): string {
  return pinned === undefined
    ? `Version ${grouped(version)} answers, and newer ones as they come.`
    : `Version ${grouped(version)} answers and stays, whatever is published.`
}

function linesOf(
  { version: current, pinned }: ModelInfo,
  versions: readonly KnownVersion[],
  pin: (version: number | undefined) => Promise<unknown>,
): HTMLElement[] {
  const usable = versions.filter(({ outcome }) => outcome === 'taken' || outcome === 'left')
  const lines = usable.slice(-SHOWN).map(({ version, kind, eventTime }) => {
    const isHere = version === current
    const label = isHere ? 'Stay here' : version < current ? 'Roll back' : 'Go here'
    return h(
      'li',
      isHere ? { 'aria-current': 'true' } : {},
      h('span', {}, h('strong', {}, grouped(version)), ` ${kind}, ${day(eventTime)}, ${clock(eventTime)}`),
      pinned === version
        ? h('span', { class: 'badge' }, 'pinned')
        : h(
            'button',
            { type: 'button', 'aria-label': `${label}: version ${version}`, onclick: () => void pin(version) },
            label,
          ),
    )
  })
  if (pinned !== undefined)
    lines.push(
      h(
        'li',
        {},
        h('span', {}, 'Newest'),
        h('button', { type: 'button', onclick: () => void pin(undefined) }, 'Unpin'),
      ),
    )
  return lines.reverse()
}

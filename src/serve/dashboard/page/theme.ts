/** Light, dark, or as the system is; kept for this browser. */
import { byId } from './dom.js'

const KEY = 'millrace-theme'
const NEXT = { auto: 'light', light: 'dark', dark: 'auto' } as const
type Theme = keyof typeof NEXT
const NAMES: Record<Theme, string> = { auto: 'as the system', light: 'light', dark: 'dark' }
const MARKS: Record<Theme, string> = { auto: '◐', light: '○', dark: '●' }

/** onChange: canvases do not follow style sheets. */
export function startTheme(onChange: () => void): void {
  const button = byId('theme')
  let theme = kept()
  const show = () => {
    if (theme === 'auto') delete document.documentElement.dataset.theme
    else document.documentElement.dataset.theme = theme
    button.textContent = MARKS[theme]
    button.setAttribute('aria-label', `Colours: ${NAMES[theme]}`)
    button.title = `Colours: ${NAMES[theme]}`
    onChange()
  }
  button.addEventListener('click', () => {
    theme = NEXT[theme]
    try {
      localStorage.setItem(KEY, theme)
    } catch {}
    show()
  })
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', onChange)
  show()
}

function kept(): Theme {
  try {
    const theme = localStorage.getItem(KEY)
    if (theme === 'light' || theme === 'dark') return theme
  } catch {}
  return 'auto'
}

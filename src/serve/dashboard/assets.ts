/** The files of the page: read once, from the package. What the browser runs is src/serve/dashboard/page, compiled. */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { packageRoot } from '../../std/package-root.js'
import { ICON, PAGE } from './markup.js'
import { STYLE } from './style.js'

export interface Asset {
  type: string
  body: string
  /** Changes with the body. */
  etag: string
}

const JS = 'text/javascript; charset=utf-8'
const CSS = 'text/css; charset=utf-8'

/** By the path that the page asks for. */
export function dashboardAssets(): Map<string, Asset> {
  const folder = join(packageRoot(), 'dist', 'serve', 'dashboard', 'page')
  const modules = readdirSync(folder).filter(name => name.endsWith('.js'))
  const plot = (name: string) => readFileSync(createRequire(import.meta.url).resolve(`uplot/dist/${name}`), 'utf8')
  return new Map([
    ['/', asset('text/html; charset=utf-8', PAGE)],
    ['/assets/icon.svg', asset('image/svg+xml', ICON)],
    ['/assets/style.css', asset(CSS, STYLE)],
    ['/assets/uplot.css', asset(CSS, plot('uPlot.min.css'))],
    ['/assets/uplot.js', asset(JS, plot('uPlot.iife.min.js'))],
    ...modules.map((name): [string, Asset] => [
      `/assets/${name}`,
      asset(JS, readFileSync(join(folder, name), 'utf8').replace(/^\/\/# sourceMappingURL=.*$/m, '')),
    ]),
  ])
}

function asset(type: string, body: string): Asset {
  return { type, body, etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"` }
}

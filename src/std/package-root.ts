import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

let found: string | undefined

/** The folder of millrace's own package.json, wherever the compiled files lie. */
export function packageRoot(): string {
  let folder = found ?? dirname(fileURLToPath(import.meta.url))
  while (found === undefined) {
    const file = join(folder, 'package.json')
    if (existsSync(file) && JSON.parse(readFileSync(file, 'utf8')).name === 'millrace') found = folder
    else if (dirname(folder) === folder) throw new Error('millrace: package.json of the package itself not found')
    else folder = dirname(folder)
  }
  return found
}

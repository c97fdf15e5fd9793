// Writes what is derived from the code: docs/config.md, docs/errors.md, docs/metrics.md, the JSON schema of the
// configuration, and the guide from its tests. --check writes nothing and fails where a file is out of date.
// Needs dist (npm run build).
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { configJsonSchema, configMarkdown } from '../dist/config/describe.js'
import { errorsMarkdown } from '../dist/domain/describe.js'
import { metricsMarkdown } from '../dist/evaluate/describe.js'
import { guideMarkdown } from './guide.mjs'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const chapters = readdirSync(join(root, 'test/guide')).filter(name => name.endsWith('.test.ts'))
const files = {
  'docs/config.md': configMarkdown(),
  'docs/errors.md': errorsMarkdown(),
  'docs/metrics.md': metricsMarkdown(),
  'schemas/config.schema.json': `${JSON.stringify(configJsonSchema(), null, 2)}\n`,
  ...Object.fromEntries(
    chapters.map(name => {
      const source = `test/guide/${name}`
      const text = readFileSync(join(root, source), 'utf8')
      return [`docs/guide/${name.replace(/\.test\.ts$/, '.md')}`, guideMarkdown(text, source)]
    }),
  ),
}

const check = process.argv.includes('--check')
let stale = 0
for (const [file, text] of Object.entries(files)) {
  const path = join(root, file)
  if (read(path) === text) continue
  if (check) {
    stale++
    console.error(`${file} is out of date: npm run generate`)
  } else {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
    console.log(file)
  }
}
process.exit(stale > 0 ? 1 : 0)

function read(path) {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

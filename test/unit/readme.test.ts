import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, test } from 'node:test'
import { loadMapping } from '../../src/import/mapping-file.js'
import { loadConfig } from '../../src/index.js'
import { packageRoot } from '../../src/std/package-root.js'

const root = packageRoot()
const readme = readFileSync(join(root, 'README.md'), 'utf8')
const folder = mkdtempSync(join(tmpdir(), 'millrace-readme-'))
after(() => rmSync(folder, { recursive: true }))

for (const page of [
  'README.md',
  ...readdirSync(join(root, 'docs')).flatMap(name => (name.endsWith('.md') ? `docs/${name}` : [])),
]) {
  test(`every file that ${page} points to is there`, () => {
    const text = readFileSync(join(root, page), 'utf8')
    const targets = [...text.matchAll(/\]\(([^)\s#]+)[^)]*\)/g)].map(match => match[1] ?? '')
    const missing = targets.filter(
      target => !target.startsWith('http') && !existsSync(join(root, dirname(page), target)),
    )
    assert.deepEqual(missing, [])
  })
}

test('every npm script that the README names is there', () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>
  }
  const named = [...readme.matchAll(/npm run ([\w:]+)/g)].map(match => match[1] ?? '')
  assert.ok(named.length > 5)
  assert.deepEqual(
    named.filter(name => scripts[name] === undefined),
    [],
  )
})

test("the README's own configuration and mapping are valid", () => {
  const files = [...readme.matchAll(/cat > \S+\/(\S+) <<'YAML'\n([\s\S]*?)\nYAML\n/g)]
  assert.equal(files.length, 2)
  for (const [, name, text] of files) writeFileSync(join(folder, name ?? ''), text ?? '')
  assert.equal(loadConfig(join(folder, 'films.yaml'), {}).config.tasks.length, 2)
  assert.equal(loadMapping(join(folder, 'mapping.yaml')).mapping.fields.value, 'stars')
})

test('every example is a valid configuration', () => {
  for (const name of ['shop', 'ml-100k', 'tmall']) loadConfig(join(root, `examples/${name}.yaml`), {})
})

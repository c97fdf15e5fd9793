import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { describeLeaves } from '../../src/config/describe.js'
import { packageRoot } from '../../src/std/package-root.js'

const page = readFileSync(join(packageRoot(), 'docs/security.md'), 'utf8')

test('docs/security.md justifies exactly the direct runtime dependencies', () => {
  const { dependencies, optionalDependencies } = JSON.parse(
    readFileSync(join(packageRoot(), 'package.json'), 'utf8'),
  ) as Record<string, Record<string, string>>
  const table = page.slice(page.indexOf('## Dependencies'), page.indexOf('## Reporting'))
  const named = [...table.matchAll(/^\| `([^`]+)` \|/gm)].map(([, name]) => name)
  assert.deepEqual(named, Object.keys({ ...dependencies, ...optionalDependencies }).sort())
})

test('docs/security.md names every secret of the configuration', () => {
  for (const { secret, env } of describeLeaves())
    if (secret === true) assert.ok(env !== undefined && page.includes(`\`${env}\``), env)
})

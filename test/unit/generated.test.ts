import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { packageRoot } from '../../src/std/package-root.js'

test('docs, guide and JSON schema are what the code says (npm run generate)', () => {
  const args = [join(packageRoot(), 'scripts/generate.mjs'), '--check']
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  assert.equal(stderr, '')
  assert.equal(status, 0)
})

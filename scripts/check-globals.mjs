// What makes a run differ from another comes in at two places only: the environment in src/config/load.ts, wall time and
// chance in src/std. Everything else is given a Clock or a Random.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'

const ENVIRONMENT = new Set(['process.env'])
const CHANCE = new Set([
  'Date.now',
  'Math.random',
  'performance.now',
  'process.hrtime',
  'crypto.randomUUID',
  'crypto.randomBytes',
  'crypto.getRandomValues',
])
const IMPORTED_CHANCE = new Set(['randomUUID', 'randomBytes', 'randomInt', 'performance', 'hrtime'])

const faults = []
for (const name of readdirSync('src', { recursive: true }).map(String).sort()) {
  if (!name.endsWith('.ts')) continue
  const file = join('src', name)
  // What runs in a browser is not part of a run.
  if (file.startsWith(join('src', 'serve', 'dashboard', 'page'))) continue
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.ES2023, true)
  const mayReadEnvironment = file === join('src', 'config', 'load.ts')
  const mayChance = file.startsWith(join('src', 'std'))
  const report = (node, what, where) => {
    const { line, character } = source.getLineAndCharacterOfPosition(node.getStart())
    faults.push(`${file}:${line + 1}:${character + 1}: ${what} belongs in ${where}`)
  }
  const visit = node => {
    if (ts.isPropertyAccessExpression(node)) {
      const text = node.getText().replace(/^globalThis\./, '')
      if (ENVIRONMENT.has(text) && !mayReadEnvironment) report(node, text, 'src/config/load.ts')
      if (CHANCE.has(text) && !mayChance) report(node, text, 'src/std')
    } else if (
      ts.isNewExpression(node) &&
      node.expression.getText() === 'Date' &&
      (node.arguments?.length ?? 0) === 0
    ) {
      if (!mayChance) report(node, 'new Date()', 'src/std')
    } else if (ts.isImportSpecifier(node)) {
      const imported = (node.propertyName ?? node.name).text
      const from = node.parent.parent.parent.moduleSpecifier.text
      if (!mayChance && IMPORTED_CHANCE.has(imported) && from.startsWith('node:'))
        report(node, `${imported} of ${from}`, 'src/std')
      if (!mayReadEnvironment && imported === 'env' && from === 'node:process')
        report(node, 'env of node:process', 'src/config/load.ts')
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
}
for (const fault of faults) console.error(fault)
process.exit(faults.length > 0 ? 1 : 0)

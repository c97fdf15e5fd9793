// Files of more than 500 lines fail the build: split them by idea.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

const LIMIT = 500
const files = execFileSync('git', ['ls-files', 'src/*.ts', 'test/*.ts', 'bench/*.ts', 'scripts/*.mjs'], {
  encoding: 'utf8',
})
const long = files
  .split('\n')
  .filter(Boolean)
  .map(file => ({ file, lines: readFileSync(file, 'utf8').split('\n').length - 1 }))
  .filter(({ lines }) => lines > LIMIT)
for (const { file, lines } of long) console.error(`${file}: ${lines} lines, the limit is ${LIMIT}`)
process.exit(long.length > 0 ? 1 : 0)

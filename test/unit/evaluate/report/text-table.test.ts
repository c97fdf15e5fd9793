import assert from 'node:assert/strict'
import { test } from 'node:test'
import { renderTable } from '../../../../src/evaluate/report/text-table.js'

const same = (text: string) => text

test('text is flush left, figures are flush right, and wide characters count twice', () => {
  const rows = [
    [
      { text: 'café', style: same },
      { text: '1', style: same },
    ],
    [
      { text: '日本', style: same },
      { text: '1,000', style: same },
    ],
  ]
  assert.equal(
    renderTable(['name', 'n'], rows, { left: 1, headerStyle: same }),
    'name      n\ncafé      1\n日本  1,000',
  )
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { renderHtml } from '../../../../src/evaluate/report/html.js'
import { summariseRuns } from '../../../../src/evaluate/report/summary.js'
import { renderTerminal } from '../../../../src/evaluate/report/terminal.js'
import { sampleComparison, sampleReport } from './sample-report.js'

const ESCAPES = new RegExp(`${String.fromCharCode(27)}\\[\\d+m`, 'g')

test('without colour there is not one escape sequence, with colour the same text', () => {
  const reports = sampleComparison()
  const plain = renderTerminal(reports, { colour: false })
  const coloured = renderTerminal(reports, { colour: true })
  assert.equal(plain.includes('\u001b'), false)
  assert.notEqual(coloured, plain)
  // Padding inside a style is not trimmed, so the ends of lines may differ by blanks.
  const trimmed = (text: string) => text.replace(/ +$/gm, '')
  assert.equal(trimmed(coloured.replace(ESCAPES, '')), trimmed(plain))
})

test('columns line up under their heads', () => {
  const lines = renderTerminal([sampleReport()], { colour: false }).split('\n')
  const head = lines.findIndex(line => line.startsWith('task') && line.includes('AUC'))
  const end = lines[head]!.indexOf('AUC') + 3
  for (const line of lines.slice(head + 1, head + 9)) assert.match(line.slice(end - 6, end), /^0\.\d{4}$/)
})

test('every task, split and loss is named', () => {
  const text = renderTerminal([sampleReport()], { colour: false })
  for (const word of ['click', 'buy', 'rating', 'cold user', 'cold item', 'warm', '140 duplicate', '61 undecodable']) {
    assert.ok(text.includes(word), word)
  }
  assert.equal(text.includes('capacity'), false, 'what did not happen is not listed')
})

test('in a narrow terminal no table is wider than it, and what was left out is named', () => {
  const text = renderTerminal([sampleReport()], { colour: false, columns: 80 })
  const tables = text.split('\n').filter(line => /^(task|click|buy|rating| )/.test(line))
  assert.ok(Math.max(...tables.map(line => line.length)) <= 80)
  assert.match(text, /--json: accuracy, precision, recall, F1/)
})

test('how ids with few events fare stands in a table of its own, as wide as the terminal', () => {
  const text = renderTerminal([sampleReport()], { colour: false })
  assert.match(text, /of +events before +click labels +AUC +buy labels +AUC +rating labels +RMSE/)
  assert.match(text, /user +0 +[\d,]+ +0\.\d{4}/)
  assert.match(text, /item +0 +[\d,]+ +0\.\d{4}/)
  const narrow = renderTerminal([sampleReport()], { colour: false, columns: 66 })
  assert.match(narrow, /of +events before +click labels +AUC +buy labels +AUC\n/)
  assert.match(narrow, /--json: rating$/m)
})

test('a categorical task has a table of its classes, against the most frequent one', () => {
  const report = sampleReport()
  const values = { crossEntropy: 0.8, majorityCrossEntropy: 0.99, classAccuracy: 0.62, majorityAccuracy: 0.55 }
  const counts = [
    [6, 2, 4],
    [0, 0, 0],
    [1, 0, 11],
  ]
  const tasks = report.tasks.map((task, index) =>
    index > 0
      ? task
      : {
          ...task,
          head: 'categorical' as const,
          totals: task.totals.map(line =>
            line.split === 'all' ? { ...line, values: { ...line.values, ...values } } : line,
          ),
          confusion: { task: task.name, classes: ['bad', 'fair', 'good'], counts },
        },
  )
  const text = renderTerminal([{ ...report, tasks }], { colour: false })
  assert.match(text, /all classes +cross-entropy +of the shares +class accuracy +of the most frequent/)
  assert.match(text, /click +0\.80000 +0\.99000 +0\.6200 +0\.5500/)
  assert.match(text, /bad +12 +50\.0 % +85\.7 % +good 33\.3 %/)
  assert.match(text, /fair +0 +– +0\.0 %\n/)
  assert.match(text, /good +12 +91\.7 % +73\.3 % +bad 8\.3 %/)
  const page = renderHtml([{ ...report, tasks }])
  assert.match(page, /<caption>click: cross-entropy 0\.80000, cross-entropy of the shares 0\.99000/)
  const { classes, crossEntropy } = summariseRuns([{ ...report, tasks }]).tasks.click!
  assert.deepEqual([classes, crossEntropy], [{ names: ['bad', 'fair', 'good'], confusion: counts }, 0.8])
})

test('a comparison ends with the leaderboard, and where to look next comes last', () => {
  const next = [{ label: 'report', target: 'out/report.html' }]
  const text = renderTerminal(sampleComparison(), { colour: false, next })
  assert.match(text, /variant +click AUC +Δ/)
  assert.match(text, /Where to look next\n {2}report {2}out\/report\.html\n$/)
})

test('a run without a single label still has its tables', () => {
  const report = sampleReport()
  const tasks = report.tasks.map(task => ({
    ...task,
    totals: task.totals.map(entry => ({ ...entry, count: 0, positives: 0, values: {} })),
    calibration: [],
    maturity: [],
  }))
  const text = renderTerminal([{ ...report, tasks }], { colour: false })
  assert.match(text, /click +all +0 +– +–/)
  assert.equal(/NaN|undefined/.test(text), false)
})

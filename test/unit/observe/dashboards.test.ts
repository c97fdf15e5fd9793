import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { parse, stringify } from 'yaml'
import { DECLARATIONS } from '../../../src/observe/declarations.js'
import { packageRoot } from '../../../src/std/package-root.js'
import { promtoolSkip, runPromtool } from '../../helpers/metrics.js'

const file = (path: string) => join(packageRoot(), path)
const read = (path: string) => readFileSync(file(path), 'utf8')

interface Rule {
  alert: string
  expr: string
}

const rules = (parse(read('docker/prometheus/alerts.yml')) as { groups: { rules: Rule[] }[] }).groups.flatMap(
  group => group.rules,
)
const dashboard = JSON.parse(read('docker/grafana/dashboards/millrace.json')) as {
  panels: { title: string; targets?: { expr: string }[] }[]
}

/** 'name' or 'name{label' of every metric of ours in a query that is not declared like that. */
function undeclared(query: string): string[] {
  return [...query.matchAll(/(millrace_\w+)(?:\{([^}]*)\})?/g)].flatMap(([, name = '', labels = '']) => {
    const declared = Object.entries(DECLARATIONS).find(
      ([known]) => name.replace(/_(bucket|sum|count)$/, '') === known || name === known,
    )
    if (declared === undefined) return [name]
    const allowed: readonly string[] = [...declared[1].labels, 'le', 'instance']
    const used = [...labels.matchAll(/(\w+)\s*(?:=~?|!~|!=)/g)].map(([, label = '']) => label)
    return used.filter(label => !allowed.includes(label)).map(label => `${name}{${label}`)
  })
}

test('alerts and panels ask for metrics and labels that are there', () => {
  assert.deepEqual(undeclared('rate(millrace_gone_total[5m]) + millrace_task_weight{reason="x"}'), [
    'millrace_gone_total',
    'millrace_task_weight{reason',
  ])
  for (const { alert, expr } of rules) assert.deepEqual(undeclared(expr), [], alert)
  const panels = dashboard.panels.filter(({ targets }) => targets !== undefined)
  assert.ok(panels.length > 20)
  for (const { title, targets = [] } of panels)
    for (const { expr } of targets) assert.deepEqual(undeclared(expr), [], title)
})

test('operations.md says what to do for every alert', () => {
  const headings = [...read('docs/operations.md').matchAll(/^### (Millrace\w+)$/gm)].map(([, name]) => name)
  assert.deepEqual(headings.sort(), rules.map(({ alert }) => alert).sort())
})

test('every alert has an example in which it comes', () => {
  const { tests } = parse(read('docker/prometheus/alerts.test.yml')) as {
    tests: { alert_rule_test: { alertname: string; exp_alerts: unknown[] }[] }[]
  }
  const shown = tests.flatMap(one =>
    one.alert_rule_test.filter(({ exp_alerts }) => exp_alerts.length > 0).map(({ alertname }) => alertname),
  )
  assert.deepEqual([...new Set(shown)].sort(), rules.map(({ alert }) => alert).sort())
})

test('promtool agrees with the rules, with their examples and with the queries of the panels', {
  skip: promtoolSkip,
}, t => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-queries-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const queries = dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr))
  const recording = queries.map((expr, index) => ({ record: `query:${index}`, expr }))
  writeFileSync(join(folder, 'queries.yml'), stringify({ groups: [{ name: 'panels', rules: recording }] }))
  for (const args of [
    ['check', 'rules', file('docker/prometheus/alerts.yml')],
    ['test', 'rules', file('docker/prometheus/alerts.test.yml')],
    ['check', 'rules', join(folder, 'queries.yml')],
  ]) {
    const { status, printed } = runPromtool(...args)
    assert.equal(status, 0, printed)
  }
})

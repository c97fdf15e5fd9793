// The Grafana dashboard, docker/grafana/dashboards/millrace.json, from a list of panels. Written by npm run generate;
// test/unit/observe/dashboards.test.ts holds its queries to the metrics that are declared.

/** One row of panels a heading: [title, unit, ...[query, legend]]. */
const ROWS = {
  'How it is': [
    ['State', 'short', ['millrace_state == 1', '{{instance}}: {{state}}']],
    ['Events a second', 'short', ['sum by (kind) (rate(millrace_records_total[1m]))', '{{kind}}']],
    [
      'Records behind',
      'short',
      ['sum by (topic) (millrace_lag_records)', '{{topic}}'],
      ['sum(millrace_uncommitted_lag_records)', 'not published'],
    ],
    [
      'Age of predictions when visible',
      's',
      ...[0.5, 0.9, 0.99].map(q => [
        `histogram_quantile(${q}, sum by (le) (rate(millrace_freshness_seconds_bucket{stage="published"}[1m])))`,
        `p${q * 100}`,
      ]),
    ],
  ],
  'What it learns': [
    ['AUC', 'none', ['millrace_task_figure{window="window", figure="auc"}', '{{task}}']],
    ['Loss', 'none', ['millrace_task_figure{window="window", figure=~"logLoss|rmse"}', '{{task}} {{figure}}']],
    ['Predicted over observed', 'none', ['millrace_task_figure{window="window", figure="pcoc"}', '{{task}}']],
    ['Task weights', 'none', ['millrace_task_weight', '{{task}}']],
    [
      'Labels a second',
      'short',
      ['rate(millrace_matured_total[5m])', 'matured'],
      ['sum by (kind) (rate(millrace_attributed_total[5m]))', '{{kind}} attributed'],
      ['sum by (kind) (rate(millrace_organic_total[5m]))', '{{kind}} organic'],
    ],
    [
      'Waiting for labels',
      'short',
      ['millrace_waiting_impressions', 'impressions'],
      ['millrace_waiting_positives', 'positives'],
    ],
    [
      'Challengers: loss less that of what answers, and takeovers',
      'none',
      ['millrace_challenger_difference', '{{challenger}}'],
      ['sum by (cause) (increase(millrace_promotions_total[15m]))', 'taken over ({{cause}})'],
    ],
  ],
  'How it works': [
    [
      'Steps a second, and their time',
      'none',
      ['rate(millrace_steps_total[1m])', 'steps/s'],
      ['histogram_quantile(0.99, sum by (le) (rate(millrace_step_duration_seconds_bucket[1m])))', 'p99 s'],
    ],
    ['Rows', 'short', ['millrace_table_rows', '{{kind}}']],
    [
      'Rows made and removed a second',
      'short',
      ['rate(millrace_table_admitted_total[5m])', 'made'],
      ['sum by (reason) (rate(millrace_table_removed_total[5m]))', '{{reason}}'],
    ],
    ['Memory', 'bytes', ['process_resident_memory_bytes', 'process'], ['millrace_table_bytes', 'tables']],
    ['CPU', 'none', ['rate(process_cpu_seconds_total[1m])', 'cores']],
    ['Commands that the learner has not answered', 'short', ['millrace_worker_unanswered_commands', '{{instance}}']],
  ],
  'What it publishes': [
    ['Records a second', 'short', ['sum by (output) (rate(millrace_outputs_total[1m]))', '{{output}}']],
    [
      'Time of a commit',
      's',
      ...[0.5, 0.99].map(q => [
        `histogram_quantile(${q}, sum by (le) (rate(millrace_commit_duration_seconds_bucket[1m])))`,
        `p${q * 100}`,
      ]),
    ],
    ['Transactions a second', 'short', ['sum by (result) (rate(millrace_transactions_total[1m]))', '{{result}}']],
    [
      'Versions judged by the gate, and whether it holds them back',
      'short',
      ['sum by (verdict) (increase(millrace_versions_total[15m]))', '{{verdict}}'],
      ['millrace_publish_held', 'held back'],
    ],
    ['Age of the last checkpoint', 's', ['time() - millrace_last_checkpoint_timestamp_seconds', '{{instance}}']],
  ],
  'What goes wrong': [
    ['Dead letters a second', 'short', ['sum by (reason) (rate(millrace_rejects_total[5m]))', '{{reason}}']],
    [
      'Dropped a second',
      'short',
      ['sum by (reason) (rate(millrace_drops_total[5m]))', '{{reason}}'],
      ['rate(millrace_late_total[5m])', 'late'],
      ['sum by (task) (rate(millrace_labels_missing_total[5m]))', '{{task}} without a value'],
    ],
    [
      'Requests made again a second',
      'short',
      ['sum by (reason) (rate(millrace_kafka_retries_total[5m]))', '{{reason}}'],
    ],
    [
      'Rebalances and restarts',
      'short',
      ['increase(millrace_rebalances_total[15m])', 'group joined'],
      ['increase(millrace_consumer_restarts_total[15m])', 'consumer restarted'],
      ['increase(millrace_network_restarts_total[15m])', 'network restarted'],
    ],
    ['Registry reachable', 'none', ['millrace_registry_reachable', '{{instance}}']],
    ['Posted events a second', 'short', ['sum by (result) (rate(millrace_posted_events_total[5m]))', '{{result}}']],
    ['Disk', 'bytes', ['millrace_disk_free_bytes', 'free'], ['millrace_checkpoint_bytes', 'a checkpoint']],
  ],
}
const WIDTH = 24
const PER_ROW = 4
const HEIGHT = 7

export function grafanaDashboard() {
  const panels = []
  let y = 0
  for (const [heading, row] of Object.entries(ROWS)) {
    panels.push({
      type: 'row',
      title: heading,
      collapsed: false,
      gridPos: { x: 0, y: y++, w: WIDTH, h: 1 },
      panels: [],
    })
    for (const [index, [title, unit, ...queries]] of row.entries()) {
      const column = index % PER_ROW
      panels.push(panel(title, unit, queries, { x: (column * WIDTH) / PER_ROW, y, w: WIDTH / PER_ROW, h: HEIGHT }))
      if (column === PER_ROW - 1 || index === row.length - 1) y += HEIGHT
    }
  }
  return {
    uid: 'millrace',
    title: 'Millrace',
    tags: ['millrace'],
    schemaVersion: 41,
    refresh: '10s',
    time: { from: 'now-1h', to: 'now' },
    panels: panels.map((one, index) => ({ id: index + 1, ...one })),
  }
}

function panel(title, unit, queries, gridPos) {
  return {
    type: 'timeseries',
    title,
    gridPos,
    datasource: { type: 'prometheus' },
    fieldConfig: { defaults: { unit, custom: { fillOpacity: 6, lineWidth: 2, showPoints: 'never' } }, overrides: [] },
    options: { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi', sort: 'desc' } },
    targets: queries.map(([expr, legendFormat], index) => ({
      refId: String.fromCharCode(65 + index),
      expr,
      legendFormat,
    })),
  }
}

/**
 * Every metric of a running instance is declared here, and nowhere else: type, unit in the name, labels, meaning. From it
 * come the registry (metrics.ts), the types of its callers, and a section of docs/metrics.md.
 *
 * Labels are bounded: names from the configuration (tasks, topics), closed unions of the code (reasons, stages), numbers
 * of partitions. Never an id of a user, an item or an event. Counters count what this process did, also after a restored
 * checkpoint: what it learns again behind one counts again; outputs on topics count once.
 */
export interface Declaration {
  type: 'counter' | 'gauge' | 'histogram'
  help: string
  labels: readonly string[]
  /** Of a histogram: upper ends. */
  bounds?: readonly number[]
}

/** Upper ends in seconds, from one fetch to a long delay of labels. */
const AGES = [
  0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 10_800, 43_200, 86_400, 259_200, 604_800,
  2_592_000,
]
const DURATIONS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]
const SIZES = [1, 4, 16, 64, 256, 1024, 4096, 16_384, 65_536]

const counter = <const L extends readonly string[]>(help: string, labels: L) => ({
  type: 'counter' as const,
  help,
  labels,
})
const gauge = <const L extends readonly string[]>(help: string, labels: L) => ({ type: 'gauge' as const, help, labels })
const histogram = <const L extends readonly string[]>(help: string, labels: L, bounds: readonly number[]) => ({
  type: 'histogram' as const,
  help,
  labels,
  bounds,
})

export const DECLARATIONS = {
  millrace_build_info: gauge('Always 1; the version of the program.', ['version']),
  millrace_model_info: gauge('Always 1; what learns: name, backend and hash of the model configuration.', [
    'name',
    'backend',
    'config',
  ]),
  millrace_state: gauge('1 for the state that the instance is in, 0 for the others.', ['state']),

  millrace_posted_events_total: counter(
    'Events posted over HTTP, erasures among them. accepted: durable in the log, a repetition too. faulty: not what can be learned from (400), or posted together with such. refused: any other answer; a post that was not read counts as one.',
    ['result'],
  ),
  millrace_records_total: counter('Events taken from the source, by kind.', ['kind']),
  millrace_rejects_total: counter('Records that became dead letters, by reason.', ['reason']),
  millrace_drops_total: counter('Records and labels that were dropped by rule, by reason.', ['reason']),
  millrace_lag_records: gauge('Records of a partition that are in the log and were not taken yet.', [
    'topic',
    'partition',
  ]),
  millrace_uncommitted_lag_records: gauge(
    'Records of a partition that are in the log and not committed yet: those not taken, and those whose outputs are not published.',
    ['topic', 'partition'],
  ),
  millrace_partition_idle: gauge('1 if a partition is idle, so that the others do not wait for it.', [
    'topic',
    'partition',
  ]),
  millrace_rebalances_total: counter('How often the consumer group was joined.', []),
  millrace_consumer_restarts_total: counter('How often the consumer was started anew: it crashed, or fell silent.', []),
  millrace_broker_silence_seconds: gauge('Time since a broker last answered the consumer.', []),
  millrace_registry_reachable: gauge('1 if the schema registry answers.', []),

  millrace_stream_timestamp_seconds: gauge('Highest event time so far, in seconds since 1970.', []),
  millrace_freshness_seconds: histogram(
    'Age of the event (now minus event time) of each example when its batch is formed (joined) and when its step is done (trained), and of each prediction when it is visible (published).',
    ['stage'],
    AGES,
  ),
  millrace_waiting_impressions: gauge('Impressions that wait for their labels.', []),
  millrace_waiting_positives: gauge('Clicks, buys and ratings that wait for their impression.', []),
  millrace_matured_total: counter('Labels that matured: each was judged and learned once.', []),
  millrace_attributed_total: counter('Clicks, buys and ratings that found their impression.', ['kind']),
  millrace_label_maturity_ratio: gauge(
    'Of the labels of a task that come within its window, the share that has come by this age of the impression.',
    ['task', 'age'],
  ),
  millrace_organic_total: counter('Clicks, buys and ratings that became examples without an impression.', []),
  millrace_labels_missing_total: counter(
    'Clicks, buys and ratings that give a task no label, since what `label.from` asks for is missing or no number.',
    ['task'],
  ),
  millrace_late_total: counter('Records behind the watermark, used or not.', []),

  millrace_batches_total: counter('Batches by what closed them.', ['kind', 'trigger']),
  millrace_steps_total: counter('Steps learned.', []),
  millrace_examples_total: counter('Labelled examples learned.', []),
  millrace_scores_total: counter('Rows scored before their labels were known.', []),
  millrace_step_examples: histogram('Examples a step.', [], SIZES),
  millrace_step_duration_seconds: histogram('From sending a step to the learning worker to its answer.', [], DURATIONS),
  millrace_worker_unanswered_commands: gauge('Commands that the learning worker has not answered yet.', []),
  millrace_model_version: gauge('Steps of the model since its beginning; every prediction carries it.', []),
  millrace_loss: gauge('Joint loss of the last step, before its update.', []),
  millrace_network_restarts_total: counter('How often the network began afresh because its loss was no number.', []),
  millrace_task_loss: gauge("A task's mean loss in the last step.", ['task']),
  millrace_task_weight: gauge("A task's weight in the last step.", ['task']),
  millrace_task_figure: gauge(
    'Progressive validation, as in the output metrics: figures of the last window, and of the total.',
    ['task', 'window', 'figure'],
  ),
  millrace_task_labels: gauge('Labels that the figures are of.', ['task', 'window']),
  millrace_challenger_difference: gauge(
    'Mean loss of a challenger minus that of what answers, as a share of the loss of a constant, mean over the tasks; below 0 it is better.',
    ['challenger'],
  ),
  millrace_challenger_verdict: gauge(
    '1 if a challenger is better than what answers beyond noise, -1 worse, 0 neither.',
    ['challenger'],
  ),
  millrace_promotions_total: counter('Challengers that have taken over, by rule or by hand.', ['cause']),
  millrace_table_rows: gauge('Values that have an embedding row, biases, wide weights.', ['kind']),
  millrace_table_bytes: gauge('Memory of all tables.', []),
  millrace_table_admitted_total: counter('Rows made.', []),
  millrace_table_removed_total: counter('Rows removed: evicted by the limit, expired by age.', ['reason']),

  millrace_versions_total: counter('Versions of the model that the publish gate has judged, by its verdict.', [
    'verdict',
  ]),
  millrace_publish_held: gauge('1 while the publish gate holds versions back; absent without a gate.', []),
  millrace_outputs_total: counter('Records that were published, by output.', ['output']),
  millrace_output_pending_bytes: gauge('Made, but not committed yet.', ['output']),
  millrace_commits_total: counter('Commits that succeeded.', []),
  millrace_commit_duration_seconds: histogram('Of a commit, with all its repetitions.', [], DURATIONS),
  millrace_last_commit_timestamp_seconds: gauge('When the last commit succeeded, in seconds since 1970.', []),
  millrace_transactions_total: counter(
    'Kafka transactions by how they ended. in_doubt: the answer to the commit is missing, and the broker was asked what became of it.',
    ['result'],
  ),
  millrace_kafka_retries_total: counter('Requests that failed and were made again, by reason.', ['reason']),
  millrace_checkpoints_total: counter('Checkpoints written.', []),
  millrace_checkpoint_duration_seconds: histogram('Of writing a checkpoint.', [], DURATIONS),
  millrace_checkpoint_bytes: gauge('Size of the last checkpoint of this process.', []),
  millrace_last_checkpoint_timestamp_seconds: gauge('When it was written, in seconds since 1970.', []),
  millrace_disk_free_bytes: gauge('Free space where checkpoints lie.', []),
  millrace_follower_version: gauge('Follower: the version that answers, in steps learned.', []),
  millrace_follower_age_seconds: gauge('Follower: the wall clock minus the stream time of that version.', []),
  millrace_follower_state: gauge(
    'Follower: 1 for the state it is in. gap: newer versions can not be applied until the next full one. pinned: it stays at a version.',
    ['state'],
  ),
} satisfies Record<`millrace_${string}`, Declaration>

export type MetricName = keyof typeof DECLARATIONS
type OfType<T extends Declaration['type']> = {
  [N in MetricName]: (typeof DECLARATIONS)[N]['type'] extends T ? N : never
}[MetricName]
export type CounterName = OfType<'counter'>
export type GaugeName = OfType<'gauge'>
export type HistogramName = OfType<'histogram'>
export type LabelsOf<N extends MetricName> = Record<(typeof DECLARATIONS)[N]['labels'][number], string>

/** A section of docs/metrics.md. */
export function declarationsMarkdown(): string {
  const rows = Object.entries<Declaration>(DECLARATIONS).map(
    ([name, { type, labels, help }]) =>
      `| \`${name}\` | ${type} | ${labels.map(label => `\`${label}\``).join(', ')} | ${help} |`,
  )
  return `
## Of a running instance

\`/metrics\` (see [operations.md](operations.md)) has these in Prometheus' text format, and the usual \`process_*\` and \`nodejs_*\` of the
process. Counters begin with 0 when the process does, and count what it did: records, steps, dead letters, verdicts and promotions that it
learns again behind a checkpoint after a crash count again; \`millrace_outputs_total\` counts what is committed, on topics each record
once. Labels are bounded and never hold an id of a user or an item.

| name | type | labels | meaning |
| --- | --- | --- | --- |
${rows.join('\n')}
`
}

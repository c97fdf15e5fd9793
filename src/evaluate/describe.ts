/** docs/metrics.md: every figure of metric records, of `--json` and of the report, and how to read it. */
import type { MetricName, Split } from './metrics/task-metrics.js'
import { CLASS_METRICS, METRICS } from './report/headline.js'

const ABOUT: Record<MetricName, string> = {
  auc: 'Area under the ROC curve: the share of pairs of a positive and a negative label in which the positive has the higher score; 0.5 is chance. From a histogram of logits; pairs within one bin of 0.001 logits count half.',
  logLoss: 'Mean of −log p of what happened, natural logarithm, p clipped to [1e-7, 1 − 1e-7].',
  normalisedEntropy:
    'Log loss divided by the entropy of the observed rate: below 1 the model knows more than the average does (He et al. 2014).',
  pcoc: 'Predicted over observed: mean prediction divided by mean label. 1 is calibrated on average, 1.1 promises a tenth too many.',
  accuracy: 'Share of labels that a threshold of 0.5 gets right.',
  precision: 'Of the scores of 0.5 or more, the share that were positive. Absent if there were none.',
  recall: 'Of the positive labels, the share whose score was 0.5 or more.',
  f1: 'Harmonic mean of precision and recall.',
  crossEntropy:
    'Mean of −log p of the class that came, over all classes; natural logarithm, p clipped to [1e-7, 1 − 1e-7].',
  majorityCrossEntropy:
    'The same of a baseline that says of each class how often it came before (and once more), predicted before learned.',
  classAccuracy: 'Share of labels whose class had the highest probability; of equal ones the first counts.',
  majorityAccuracy: 'The same of the class that came most often before.',
  rmse: "Root of the mean squared error, in the label's unit.",
  mae: "Mean absolute error, in the label's unit.",
  meanPrediction: 'Mean of the predictions.',
  meanLabel: 'Mean of the labels; for a binary task the observed rate.',
  recallAt10:
    'Share of positives whose item was among the first 10 of the whole catalogue, ranked for the user before the positive was learned. Ties count against the item; an item that nobody had before is a miss.',
  ndcgAt10: 'The same, weighted by place: 1 / log2(rank + 1), 0 beyond 10.',
  mrr: 'Mean of 1 / rank over the whole catalogue.',
}

const NUMERIC_ONLY: ReadonlySet<MetricName> = new Set(['rmse', 'mae'])
const CLASSES_ONLY: ReadonlySet<MetricName> = new Set(CLASS_METRICS)
const BOTH: ReadonlySet<MetricName> = new Set(['meanPrediction', 'meanLabel'])
const TOP_N_ONLY: ReadonlySet<MetricName> = new Set(['recallAt10', 'ndcgAt10', 'mrr'])

const SPLITS_ABOUT: Record<Split, string> = {
  all: 'Every label.',
  'cold-user': 'Labels of users who had fewer than `features.coldBelow` events before the impression.',
  'cold-item': 'The same of items. A cold user on a cold item counts in both.',
  warm: 'Neither is cold.',
  new: 'Next item: the user had not had it before; ranked among what she had not had.',
  repeated: 'Next item: she had.',
  uncalibrated: 'Tasks with `calibration`: every label, by what the model said before calibration.',
}

const BETTER = { higher: 'higher', lower: 'lower', one: 'nearer to 1' }

function headsOf(name: MetricName): string {
  if (TOP_N_ONLY.has(name)) return 'next item'
  if (CLASSES_ONLY.has(name)) return 'categorical'
  if (BOTH.has(name)) return 'all'
  return NUMERIC_ONLY.has(name) ? 'all but binary' : 'binary'
}

export function metricsMarkdown(): string {
  const names = Object.keys(METRICS) as MetricName[]
  const rows = names.map(name => {
    const { better } = METRICS[name]
    const heads = headsOf(name)
    return `| \`${name}\` | ${heads} | ${better === undefined ? '' : BETTER[better]} | ${ABOUT[name]} |`
  })
  return `# Metrics

Generated from \`src/evaluate\` and \`src/observe\` by \`npm run generate\`; do not edit.

All figures are of **progressive validation with delayed labels**: an impression is scored when it arrives, by the model of
that moment; the score travels with it and is judged when the label matures; only then is the label learned. So every label
is used for testing first and for training afterwards, and no figure is of data that the model had seen.

A rating without a window is scored and judged in the step that learns it, before the update.

## Figures

A figure that is not defined is absent: no AUC with one class only, no precision without a positive prediction.

| name | heads | better | meaning |
| --- | --- | --- | --- |
${rows.join('\n')}

A categorical task has the figures of a binary one, of the classes in \`label.of\` against the rest, and four of all its classes
beside them. The report and \`--json\` (\`tasks.<name>.classes\`) also say how often each class came and which was then the most probable.

On rare labels few scores reach 0.5; then accuracy, precision and recall say little, and AUC and normalised entropy are the
figures to look at.

## Splits

| split | labels |
| --- | --- |
${Object.entries(SPLITS_ABOUT)
  .map(([split, text]) => `| \`${split}\` | ${text} |`)
  .join('\n')}

## By how many events an id had had

The report, the terminal and \`--json\` (\`tasks.<name>.byExperience.user\`, \`.item\`) have the totals once more, by how many
impressions and positives the user, and the item, had had before the example arrived: 0, 1–2, 3–5, 6–10, 11–20, more than 20. Each label
counts once for its user and once for its item. Metric records do not have them.

## The next item

With \`recommend\` in the configuration, each positive (\`recommend.events\`) is ranked against the whole catalogue before it is
learned, and positives of one \`recommend.tick\` before any of them; one user and item count once a tick. Figures are called
\`next-item\`, those of the simple rankers beside it (\`recommend.baselines\`) \`next-item.popularity\`, \`next-item.last-item\`,
\`next-item.item-knn\`, \`next-item.own-history\` and \`next-item.bpr\`; \`positives\` counts the items found among the first 10.

## Baselines of the heads

With \`evaluate --baselines\`, each binary task has \`<task>.ftrl\` beside it and each numeric one \`<task>.biases\`: the same figures
of a simple learner on the same examples (evaluation.md).

## Windows and totals

The output \`metrics\` has, every \`outputs.metricsEvery\` records and at the end, one record a task for the \`window\` since the
last one (split \`all\`), and one a task and split for the \`total\`. Totals leave out impressions of the first \`evaluate.after\` of the
log; windows count everything. \`counts\` holds the labels (\`count\`) and how many of them were positive (\`positives\`).

Where \`challengers\` learn beside, records with a \`challenger\` are theirs. Of each there is a \`comparison\` with what answers a task,
and one without a task of all together: \`difference\` of the mean losses on the same labels (below 0 the challenger is better; of all together as a
share of a constant's loss), and \`verdict\`: 1 better beyond noise, -1 worse, 0 neither. \`promotion\`: the challenger answers from here on.

\`evaluate --json\` and \`run --json\` print the totals as \`tasks.<name>.<figure>\`, the splits below \`tasks.<name>.splits\`, and
\`eventsPerSecond\`: records read per second of wall time, reading, learning and writing included.

## Calibration

The report's calibration plot cuts the scores of a binary task into about 20 groups of equal count and shows the mean
prediction of each beside the observed rate. A calibrated model lies on the diagonal.
`
}

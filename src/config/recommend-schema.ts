/** The section `recommend` of the configuration. */
import { z } from 'zod'
import { about, duration } from './schema-kit.js'

export const recommend = z.strictObject({
  events: about(
    z
      .array(z.enum(['click', 'buy', 'rating']))
      .min(1)
      .default(['click', 'buy', 'rating']),
    'What makes an item one that the user had.',
  ),
  repeats: about(
    z.boolean().default(true),
    'Users come back to the same items: what they had is recommended too. false: it is left out.',
  ),
  size: about(z.int().min(1).max(1000).default(20), 'Items of an answer.', { unit: 'items' }),
  fusion: about(
    z
      .strictObject({
        method: about(
          z.enum(['retrieval', 'sum', 'product', 'cascade', 'stack']).default('retrieval'),
          'How the candidates of a score request are ordered. retrieval: by the next-item model (given candidates: as sum). sum: values weighted by `rank` of the tasks. product: values to the power of `rank`. cascade: task after task, each keeps the better share. stack: logistic regression of the first task on all heads, learned online.',
        ),
        candidates: about(
          z.int().min(1).max(10_000).default(100),
          'So many of the catalogue are scored by all heads for one answer; not fewer than `size`.',
          { unit: 'items' },
        ),
        retrieval: about(
          z.number().min(0).default(1),
          "sum, product: weight of the next-item model's share of a candidate.",
        ),
        keep: about(z.number().positive().max(1).default(0.5), 'cascade: share of candidates that each task keeps.'),
      })
      .prefault({}),
    'One order from several heads.',
  ),
  tick: about(
    duration('1s'),
    'Events of one tick are ranked before any of them is learned, and count once for each user and item. A log with day resolution needs 1d.',
  ),
  halfLife: about(
    z
      .strictObject({
        history: about(duration('7d'), "A user's own history."),
        popularity: about(duration('14d'), 'Popularity.'),
        pairs: about(duration('90d'), 'Co-counts of items.'),
      })
      .prefault({}),
    'After this event time what happened counts half.',
  ),
  history: about(
    z.int().min(1).max(1000).default(100),
    "So many of the user's latest items call up their neighbours.",
    { unit: 'items' },
  ),
  neighbours: about(
    z.int().min(4).max(16_384).default(1024),
    'Co-counts kept of each item, the heaviest; 8 bytes each, for as many as there are.',
    {
      unit: 'items',
    },
  ),
  dim: about(z.int().min(1).max(256).default(16), 'Length of the association vectors.', { unit: 'floats' }),
  rate: about(z.number().positive().default(0.25), 'Step size of the association vectors (Adagrad).'),
  exactItems: about(
    z.int().min(0).default(8192),
    'A catalogue of at most this size is learned by an exact softmax, a larger one by sampled negatives.',
    { unit: 'items' },
  ),
  negatives: about(z.int().min(1).max(4096).default(128), 'Negatives drawn by popularity for each positive.'),
  maxItems: about(
    z.int().min(16).default(200_000),
    'Items of the catalogue; beyond it the least popular twentieth is forgotten.',
    { unit: 'items' },
  ),
  maxPairs: about(
    z.int().min(16).default(2_000_000),
    'Pairs of user and item that are remembered, about 60 bytes each; the longest untouched go first.',
    { unit: 'pairs' },
  ),
  judgeEvery: about(
    z.int().min(0).default(1),
    'Every nth positive is ranked against the whole catalogue for the metrics, before it is learned; 0 = none. Its cost grows with the catalogue.',
  ),
  sampleUsers: about(
    z.int().min(0).max(1000).default(50),
    'Ids of so many users who had something last are kept, and are in snapshots, for people to try the model with. 0: only hashes of the ids of users leave the learner.',
    { unit: 'users' },
  ),
  baselines: about(
    z.boolean().default(false),
    'Judge popularity, last item, item-kNN, own history and BPR beside the model.',
  ),
})

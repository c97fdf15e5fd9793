/** Rows on real logs that are in the tables of both `npm run bench` and `npm run lab`. */
import { measureNextBrand, measureNextFilm } from './next-item.js'
import type { RowDefinition } from './row.js'
import { measureStarved } from './starved.js'

export const qualityRows: RowDefinition[] = [
  {
    name: 'starved',
    what: 'ml-100k as click / like / rating, chunks of 32, the network alone, per weighting: AUC of 3 seeds',
    slow: true,
    measure: measureStarved,
  },
  {
    name: 'ml-100k-next',
    what: 'ml-100k, the next film among all, tick 1 s; gain over item-kNN in R@10',
    measure: measureNextFilm,
  },
  {
    name: 'tmall-next',
    what: 'tmall-dev, the next brand among all, tick 1 day: R@10 minus that of the better of own history and popularity',
    measure: measureNextBrand,
  },
]

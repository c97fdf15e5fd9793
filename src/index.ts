/**
 * The one public door for programs. Everything else is private and may change.
 *
 *   import { replay, summarise } from 'millrace'
 *   const report = await replay('examples/ml-100k.yaml')
 *   console.log(summarise([report]).tasks.rating?.rmse)
 */
export { type FollowOptions, follow } from './app/follow.js'
export { loadChecked as loadConfig } from './app/load-checked.js'
export { importLog, simulateLog } from './app/prepare-log.js'
export { type ReplayOptions, replay } from './app/replay-file.js'
export type { LoadedConfig } from './config/load.js'
export type { Config, ConfigInput } from './config/schema.js'
export { ERRORS, type ErrorCode, MillraceError } from './domain/errors.js'
export type { Erase, Event, EventKind, Impression, Positive, Profile, ScoreRequest } from './domain/event.js'
export { renderHtml } from './evaluate/report/html.js'
export type { RunReport } from './evaluate/report/report.js'
export { summariseRuns as summarise } from './evaluate/report/summary.js'
export type { ImportSummary } from './import/import-csv.js'
export type { Exploration, Explored } from './serve/explore.js'
export type {
  Explanation,
  Follower,
  ItemScore,
  ItemsAnswer,
  ModelStatus,
  Question,
  RankAnswer,
  RankQuestion,
  ScoreAnswer,
  ScoreQuestion,
  TopAnswer,
  TopQuestion,
  UserAnswer,
} from './serve/follower.js'
export type { FollowedVersion, FollowerState } from './serve/replica-pair.js'
export type { SimulateOptions, SimulationSummary } from './simulate/simulate.js'

/** Loads a configuration and checks what the schema alone can not: names that must be unique, sections that must fit each other. */
import { parse } from 'yaml'
import { isLoopback } from '../config/http-schema.js'
import { type ConfigFault, type LoadedConfig, loadConfig } from '../config/load.js'
import type { Config } from '../config/schema.js'
import { MillraceError } from '../domain/errors.js'
import { isProbability } from '../domain/heads.js'
import { RETRIEVAL_TASK } from '../evaluate/retrieval.js'
import { checkFeatures } from '../features/check.js'
import { earlyWindow } from '../join/label.js'
import { checkLabel } from './check-label.js'

/** set: 'weights.method=gradnorm'; a value is read as YAML. */
export function loadChecked(file: string, options: { set?: string[] }): LoadedConfig {
  const overrides = Object.fromEntries((options.set ?? []).map(parseSetting))
  return loadConfig(file, { overrides, check: checkConfig })
}

export function parseSetting(setting: string): [path: string, value: unknown] {
  const at = setting.indexOf('=')
  if (at < 1) throw new MillraceError('USAGE', `--set ${setting}: expected KEY=VALUE, such as weights.method=gradnorm`)
  return [setting.slice(0, at), parse(setting.slice(at + 1))]
}

export function checkConfig(config: Config): ConfigFault[] {
  return [
    ...checkEnds(config),
    ...checkHttp(config),
    ...checkTasks(config),
    ...checkSegments(config),
    ...checkModel(config),
    ...checkFeatures(config.features).map(({ path, message }) => ({ path: ['features', ...path], message })),
  ]
}

/** Outputs on topics are committed together with the offsets of topics; a log folder has none. */
function* checkEnds({ source, outputs }: Config): Generator<ConfigFault> {
  if (outputs.kafka !== undefined && source.kafka === undefined)
    yield {
      path: ['outputs', 'kafka'],
      of: 'key',
      message:
        'outputs go to topics only where events come from topics. Add source.kafka (`millrace import kafka` puts a log onto topics), or remove this section: then outputs go to files below outputs.path',
    }
}

/** Whoever can connect could read everything and change much of it. */
function* checkHttp({ http }: Config): Generator<ConfigFault> {
  if (http.enabled && http.keys.length === 0 && !isLoopback(http.host))
    yield {
      path: ['http', 'host'],
      message: `${http.host} can be reached from other machines, so http.keys (MILLRACE_HTTP_KEYS) must hold at least one API key. Or listen on 127.0.0.1, or set http.enabled to false`,
    }
}

function* checkModel({ model, tasks }: Config): Generator<ConfigFault> {
  const { architecture, hidden } = model
  if (architecture === 'shared-middle' && hidden.length < 2)
    yield { path: ['model', 'hidden'], message: 'shared-middle needs two layers: one per task, one shared' }
  if (architecture === 'aitm' && tasks.every(({ given }) => given === undefined))
    yield { path: ['model', 'architecture'], message: 'aitm needs a task that is `given` another' }
}

/** Only a slot of texts has values that a configuration can name. */
function* checkSegments({ tasks, features }: Config): Generator<ConfigFault> {
  const ofTexts = features.slots.flatMap(({ name, from = '' }) => (/^(user|item|context)\./.test(from) ? name : []))
  for (const [index, { segments }] of tasks.entries()) {
    for (const slot of Object.keys(segments?.slots ?? {})) {
      if (ofTexts.includes(slot)) continue
      const message = `no slot '${slot}' is from user.ATTRIBUTE, item.ATTRIBUTE or context.NAME`
      yield { path: ['tasks', index, 'segments', 'slots', slot], message }
    }
  }
}

function* checkTasks({ tasks, evaluate }: Config): Generator<ConfigFault> {
  const seen = new Set<string>()
  for (const [index, task] of tasks.entries()) {
    const at = (...path: string[]) => ['tasks', index, ...path]
    if (seen.has(task.name)) yield { path: at('name'), message: `there are two tasks named '${task.name}'` }
    const given = tasks.slice(0, index).find(other => other.name === task.given)
    if (task.given !== undefined && (given?.head !== 'binary' || task.head !== 'binary'))
      yield { path: at('given'), message: 'must name a binary task declared above, of a binary task' }
    if (given !== undefined && (given.label.window ?? 0) > (task.label.window ?? 0))
      yield { path: at('given'), message: `'${given.name}' is known later than this task: its window is longer` }
    const { window, early, event, attribution } = task.label
    if (attribution === 'given' && task.given === undefined)
      yield { path: at('label', 'attribution'), message: 'the task is not `given` another' }
    if (early !== undefined && (task.head !== 'binary' || event === 'rating' || early >= (window ?? 0)))
      yield {
        path: at('label', 'early'),
        message: 'is for binary tasks on clicks and buys, and shorter than the window',
      }
    if (early !== undefined && early < (given?.label.window ?? 0))
      yield { path: at('label', 'early'), message: `'${given?.name}' is not final by then: its window is longer` }
    if (task.label.late === 'fake-negative-weighted' && earlyWindow(task, tasks) === undefined)
      yield {
        path: at('label', 'late'),
        message: 'is for tasks that are learned early: `given` another, or with `early`',
      }
    const { keepNegatives, late } = task.label
    if (keepNegatives !== undefined && (task.head !== 'binary' || event === 'rating' || window === undefined))
      yield { path: at('label', 'keepNegatives'), message: 'is for binary tasks on clicks and buys with a window' }
    if (keepNegatives !== undefined && late === 'fake-negative-weighted')
      yield { path: at('label', 'keepNegatives'), message: 'negatives that are weighted as fake ones are all needed' }
    if (task.name === RETRIEVAL_TASK)
      yield { path: at('name'), message: `'${RETRIEVAL_TASK}' is the name of the figures of top-N` }
    if (task.calibration !== undefined && task.head !== 'binary')
      yield { path: at('calibration'), message: 'only probabilities are calibrated: of a binary task' }
    seen.add(task.name)
    for (const { path, message } of checkLabel(task)) yield { path: at(...path), message }
    const numeric = !isProbability(task.head)
    if (numeric && task.range === undefined)
      yield { path: at(), message: `the head ${task.head} needs a range, such as [1, 5]` }
    if (task.range !== undefined && task.range[0] >= task.range[1])
      yield { path: at('range'), message: 'the lowest value comes first' }
    const hasLevels = task.head === 'ordinal' || task.head === 'distribution'
    if (hasLevels && task.range?.some(bound => !Number.isInteger(bound)) === true)
      yield { path: at('range'), message: `the levels of a task with the head ${task.head} are integers` }
  }
  const rewarding = tasks.find(({ name }) => name === evaluate.policy?.reward)
  if (evaluate.policy !== undefined && (rewarding?.head !== 'binary' || rewarding.label.window === undefined))
    yield { path: ['evaluate', 'policy', 'reward'], message: 'must name a binary task whose label has a window' }
  for (const [index, name] of (evaluate.tasks ?? []).entries()) {
    if (!seen.has(name)) yield { path: ['evaluate', 'tasks', index], message: `there is no task named '${name}'` }
  }
}

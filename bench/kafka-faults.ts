/**
 * The rows about faults. They have brokers of their own: three, which are killed. What is asked of the outputs is asked of
 * an independent reader; see test/helpers/kafka-chaos.ts.
 */
import { type ChaosReport, measureTakeover, runChaos } from '../test/helpers/kafka-chaos.js'
import { pythonSkip } from '../test/helpers/read-topic.js'
import { type Context, NotMeasured, type RowDefinition } from './row.js'
import { spreadOf } from './statistics.js'

const CHAOS_SEED = 4

export function createFaultRows(): RowDefinition[] {
  let running: Promise<ChaosReport> | undefined
  const chaos = ({ quick, say }: Context) => {
    if (pythonSkip !== false) throw new NotMeasured(pythonSkip)
    const few = { learnerKills: 3, brokerKills: 1, rebalances: 1, registryOutages: 1, events: 8000 }
    running ??= runChaos({ seed: CHAOS_SEED, say, ...(quick ? few : {}) })
    return running
  }
  return [
    {
      name: 'faults',
      what: 'lost or doubled outputs over 20 kill −9 of the learner, 5 of one of three brokers, 5 rebalances, 3 registry outages',
      measure: async context => {
        const report = await chaos(context)
        const { lost, doubled, deadLettersDoubled, journalFaults, ...rest } = report
        const wrong = [lost, doubled, deadLettersDoubled, journalFaults].flat()
        return {
          figures: [
            { name: '', format: 'count', value: wrong.length, limit: { better: 'lower', reach: 0, strive: 0 } },
          ],
          details: { wrong: wrong.slice(0, 100), ...rest },
        }
      },
    },
    {
      name: 'model',
      what: 'outputs and parts of the model after all those faults that differ from an undisturbed run on the same journal',
      measure: async context => {
        const { differing, parts, failures } = await chaos(context)
        return {
          figures: [
            { name: '', format: 'count', value: differing.length, limit: { better: 'lower', reach: 0, strive: 0 } },
          ],
          details: { differing, parts, failures },
        }
      },
    },
    {
      name: 'takeover',
      what: 'takeover by the standby: from kill −9 until it publishes',
      measure: async ({ quick, say }) => {
        const tookMs = await measureTakeover(quick ? 1 : 5, line => say(`takeover: ${line}`))
        return {
          figures: [
            {
              name: '',
              format: 'seconds',
              value: spreadOf(tookMs.map(ms => ms / 1000)),
              limit: { better: 'lower', reach: 15, strive: 8 },
            },
          ],
          details: {},
        }
      },
    },
  ]
}

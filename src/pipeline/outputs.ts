/** The named outputs. The pipeline knows these names and shapes; which file or topic they go to is the composition's business. */
import type { JournalRecord } from '../sink/output-records.js'

export { OUTPUT_NAMES, type Outputs } from '../sink/delivery.js'

export type FlushTrigger = JournalRecord['trigger']

/** A process that reads as a member of a group until it is killed; says what it does, a line each. */
import { sourceOf } from './kafka-source.js'

const [broker = '', topic = '', group = ''] = process.argv.slice(2)
const say = (line: string) => process.stdout.write(`${line}\n`)
const source = sourceOf([broker], [topic], { group, onRole: role => say(role) })
await source.open([])
for (;;) for (const { partition, offset } of (await source.next()) ?? []) say(`${partition}:${offset}`)

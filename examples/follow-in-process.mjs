// Scores in your own process with what a learner publishes, while it goes on publishing.
//
//   npm start                                   # learns the shop and publishes versions of its model
//   node examples/follow-in-process.mjs         # in another terminal, or afterwards
//
// In a program of your own: import { follow } from 'millrace'
import { follow } from 'millrace'

const [file = 'examples/shop.yaml', user = 'u1'] = process.argv.slice(2)
const follower = await follow(file)
await follower.ready()

const { version, eventTimeMs, tasks } = follower.model()
console.log(`version ${version}, as of ${new Date(eventTimeMs).toISOString()}; tasks: ${tasks.map(t => t.name).join(', ')}`)

console.log(`\nfor ${user}:`)
const { items } = await follower.top({ user, size: 5, context: { device: 'phone' } })
for (const { item, rank, values } of items) console.log(`  ${item}  ${rank.toFixed(3)}`, values)

// Candidates of your own, in the order that you weigh the tasks.
const candidates = follower.popular(20).items.map(({ item }) => item)
const started = performance.now()
const ranked = await follower.rank({ user, items: candidates, weights: { buy: 1 } })
const best = ranked.scores[0]
console.log(`\n${candidates.length} candidates in ${(performance.now() - started).toFixed(1)} ms; most likely to be bought: ${best?.item}`)

if (best) {
  const { tasks: why } = await follower.explain({ user, item: best.item })
  for (const [task, { value, slots }] of Object.entries(why)) {
    const strongest = slots.toSorted((a, b) => Math.abs(b.contribution) - Math.abs(a.contribution)).slice(0, 3)
    const named = strongest.map(({ name, contribution }) => `${name} ${contribution.toFixed(4)}`)
    console.log(`  ${task} ${value.toFixed(4)}, most of it by ${named.join(', ')}`)
  }
  console.log('  beside it users had', follower.similar(best.item, 3).items.map(({ item }) => item).join(', '))
}

await follower.close()

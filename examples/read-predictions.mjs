// A plain reader of the prediction output: Avro container files, no millrace in it.
//
//   npm start
//   node examples/read-predictions.mjs                       # the last ten, and means by task
//   node examples/read-predictions.mjs .data/shop/out/predictions
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import avro from 'avsc'

const [folder = '.data/shop/out/predictions'] = process.argv.slice(2)
const sums = new Map()
let count = 0
let last = []
for (const name of readdirSync(folder).filter(file => file.endsWith('.avro')).sort()) {
  for await (const prediction of avro.createFileDecoder(join(folder, name))) {
    count++
    for (const [task, value] of Object.entries(prediction.values)) sums.set(task, (sums.get(task) ?? 0) + value)
    last = [...last.slice(-9), prediction]
  }
}
for (const { user, item, values, modelVersion } of last) console.log(user, item, { ...values }, `version ${modelVersion}`)
for (const [task, sum] of sums) console.log(`mean of ${task}: ${sum / count}`)
console.log(`${count} predictions`)

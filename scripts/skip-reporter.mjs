/** A reporter of node:test: one line a skipped or postponed test, the reason, then a tab and where it is. */
// biome-ignore lint/style/noDefaultExport: node:test takes a reporter from the default export.
export default async function* skipReporter(events) {
  for await (const { type, data } of events) {
    if (type !== 'test:pass' && type !== 'test:fail') continue
    const reason = data.skip ?? data.todo
    if (reason === undefined) continue
    yield `${reason === true || reason === '' ? 'no reason given' : reason}\t${data.name} (${data.file ?? 'unknown file'})\n`
  }
}

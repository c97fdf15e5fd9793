/**
 * A chapter of the guide from its test: comments that begin in the first column are prose, what is between them is code.
 * What comes before the first of them (the imports) is left out.
 */
export function guideMarkdown(source, file) {
  const blocks = []
  for (const line of source.split('\n')) {
    const prose = /^\/\/ ?(.*)$/.exec(line)
    const kind = prose === null ? 'code' : 'prose'
    if (blocks.length === 0 && kind === 'code') continue
    if (blocks.at(-1)?.kind !== kind) blocks.push({ kind, lines: [] })
    blocks.at(-1).lines.push(prose === null ? line : prose[1])
  }
  const sections = blocks
    .map(({ kind, lines }) => ({ kind, text: lines.join('\n').trim() }))
    .filter(({ text }) => text !== '')
    .map(({ kind, text }) => (kind === 'prose' ? text : `\`\`\`ts\n${text}\n\`\`\``))
  const [title, ...rest] = sections.join('\n\n').split('\n')
  return `${title}\n\n<!-- Generated from ${file} by npm run generate; do not edit. -->\n${rest.join('\n')}\n`
}

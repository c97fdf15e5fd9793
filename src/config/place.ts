/** Where in a YAML document something is, for messages. */
import { type Document, isMap, isNode, isSeq } from 'yaml'

/**
 * Offset of what is nearest to the path: the value; the key of a section, and of a value that is asked for by its key;
 * an entry of a list; or, if it is not there, the section that lacks it.
 */
export function offsetOf(
  document: Document.Parsed,
  path: readonly PropertyKey[],
  of: 'value' | 'key' = 'value',
): number {
  let node: unknown = document.contents
  let offset = 0
  for (const [depth, part] of path.entries()) {
    if (isMap(node)) {
      const pair = node.items.find(item => isNode(item.key) && String(item.key) === String(part))
      if (pair === undefined || !isNode(pair.key)) break
      offset = pair.key.range?.[0] ?? offset
      node = pair.value
      const isAskedFor = of === 'key' && depth === path.length - 1
      if (isNode(node) && !isMap(node) && !isAskedFor) offset = node.range?.[0] ?? offset
    } else if (isSeq(node)) {
      node = node.items[Number(part)]
      if (isNode(node)) offset = node.range?.[0] ?? offset
    } else break
  }
  return offset
}

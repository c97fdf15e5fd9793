import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from './package-root.js'

/** The Avro schema `schemas/<name>.avsc` of this package, parsed. */
export function readSchemaFile(name: string): unknown {
  return JSON.parse(readFileSync(join(packageRoot(), 'schemas', `${name}.avsc`), 'utf8'))
}

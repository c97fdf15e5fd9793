/** Reads messages with Kafka's own Java console consumer: what it sees is what anybody else sees. */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { homedir } from 'node:os'
import { join } from 'node:path'

const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache')
const jars = join(cache, 'millrace', 'kafka', 'kafka-4.3.1', '*')
// Without this every JVM takes both cores to compile what runs for seconds.
const JVM = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-cp', jars]

export interface ConsoleRecord {
  partition: number
  offset: bigint
  timestampMs: number
  key: Buffer | null
  value: Buffer | null
  /** `name:value` pairs as the tool prints them, joined by commas. */
  headers: string
}

export interface ConsoleOptions {
  isolation?: 'read_committed' | 'read_uncommitted'
  /** Stop after so many. */
  count: number
  /** Lines of a client's properties file, for secured listeners. */
  properties?: Record<string, string>
}

/** The first so many messages of a topic, in the order of arrival (within a partition: by offset). */
export async function readFirst(
  brokers: readonly string[],
  topic: string,
  { isolation = 'read_committed', count, properties = {} }: ConsoleOptions,
): Promise<ConsoleRecord[]> {
  const mark = randomBytes(12).toString('hex')
  const [field, line, absent] = [`<${mark}|`, `<${mark}$`, `<${mark}0`]
  const print = ['key', 'offset', 'partition', 'headers', 'timestamp'].map(name => `print.${name}=true`)
  const separators = [`key.separator=${field}`, `line.separator=${line}`, `null.literal=${absent}`]
  const settings = { 'client.id': `console-${mark}`, ...properties }
  const output = await runTool('org.apache.kafka.tools.consumer.ConsoleConsumer', [
    ...['--bootstrap-server', brokers.join(','), '--topic', topic, '--from-beginning', '--isolation-level', isolation],
    ...['--max-messages', String(count)],
    ...[...print, ...separators].flatMap(property => ['--formatter-property', property]),
    ...Object.entries(settings).flatMap(([name, value]) => ['--command-property', `${name}=${value}`]),
  ])
  return split(output, line)
    .slice(0, -1)
    .map(text => parse(split(text, field), absent))
}

/** Runs one of Kafka's command line tools; resolves to what it printed. */
export async function runTool(main: string, args: readonly string[]): Promise<Buffer> {
  const child = spawn('java', [...JVM, main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  const chunks: Buffer[] = []
  const complaints: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => complaints.push(chunk))
  const code = await new Promise(resolve => child.on('close', resolve))
  const complaint = Buffer.concat(complaints).toString()
  if (code !== 0) throw new Error(`${main}: ${complaint}`)
  return Buffer.concat(chunks)
}

function split(bytes: Buffer, by: string): Buffer[] {
  const parts: Buffer[] = []
  let from = 0
  for (;;) {
    const to = bytes.indexOf(by, from)
    if (to < 0) return [...parts, bytes.subarray(from)]
    parts.push(bytes.subarray(from, to))
    from = to + by.length
  }
}

function parse(fields: Buffer[], absent: string): ConsoleRecord {
  const [timestamp, partition, offset, headers, key, value] = fields
  const text = (bytes: Buffer | undefined, name: string) => bytes?.toString().replace(`${name}:`, '') ?? ''
  const content = (bytes: Buffer | undefined) =>
    bytes === undefined || bytes.equals(Buffer.from(absent)) ? null : bytes
  return {
    timestampMs: Number(text(timestamp, 'CreateTime')),
    partition: Number(text(partition, 'Partition')),
    offset: BigInt(text(offset, 'Offset')),
    headers: headers?.toString().replace(/^NO_HEADERS$/, '') ?? '',
    key: content(key),
    value: content(value),
  }
}

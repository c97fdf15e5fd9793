/** The README's way from nothing to predictions on a topic: the very commands, against a real broker. */
import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'
import { packageRoot } from '../../src/std/package-root.js'
import { readFirst } from '../helpers/console-consumer.js'
import { freePort, kafkaSkip } from '../helpers/kafka.js'
import { Running } from '../helpers/process.js'

const root = packageRoot()
const readme = readFileSync(join(root, 'README.md'), 'utf8')
const commandsOf = (name: string): string[] => {
  const block = new RegExp(`<!-- ${name}:begin -->\\n\`\`\`sh\\n([\\s\\S]*?)\`\`\`\\n<!-- ${name}:end -->`).exec(readme)
  return (block?.[1] ?? '').trim().split('\n')
}

test('three commands lead from nothing to predictions on a topic', { skip: kafkaSkip, timeout: 600_000 }, async t => {
  const commands = commandsOf('kafka')
  assert.equal(commands.length, 3)
  const [start = '', fill = '', learn = ''] = commands
  const build = 'npm ci && npm run build && '
  assert.ok(start.startsWith(build), start)

  // A checkout of its own, as far as these commands can tell, so that nothing of the developer's is touched.
  const folder = mkdtempSync(join(tmpdir(), 'millrace-readme-'))
  for (const name of ['dist', 'node_modules', 'scripts', 'schemas']) symlinkSync(join(root, name), join(folder, name))
  for (const name of ['package.json', 'examples']) cpSync(join(root, name), join(folder, name), { recursive: true })
  const [broker, registry] = [`127.0.0.1:${await freePort()}`, `127.0.0.1:${await freePort()}`]
  const env = {
    KAFKA_BROKERS: broker,
    SCHEMA_REGISTRY_URL: `http://${registry}/apis/ccompat/v7`,
    MILLRACE_KAFKA_DATA: join(folder, 'kafka'),
  }
  const run = (line: string) => new Running('sh', ['-c', line], { cwd: folder, env })
  const done = async (line: string) => {
    const { code, stdout, stderr } = await run(line).finished
    assert.equal(code, 0, `${line}\n${stdout}\n${stderr}`)
  }
  t.after(async () => {
    await run('npm run --silent kafka -- stop').finished
    rmSync(folder, { recursive: true, force: true })
  })

  await done(start.slice(build.length))
  await done(fill)
  const learner = run(`exec ${learn}`)
  t.after(() => learner.child.kill('SIGKILL'))
  const predictions = await readFirst([broker], 'millrace.predictions.v1', { count: 100 })
  assert.equal(predictions.length, 100)
  const { code, stderr } = await learner.kill('SIGTERM')
  assert.equal(code, 0, stderr)
})

test('compose runs commands that exist, on addresses and topics that fit each other', () => {
  const compose = parse(readFileSync(join(root, 'docker/compose.yaml'), 'utf8'), { merge: true }) as {
    services: Record<string, Service>
  }
  const { services } = compose
  const example = 'examples/shop-kafka.yaml'
  for (const name of ['topics', 'millrace', 'shop'] as const) {
    const { command, environment, volumes, depends_on: depends } = services[name] as Service
    assert.ok([command].flat().join(' ').includes(`/app/${example}`), name)
    const inside = services.kafka?.environment?.KAFKA_ADVERTISED_LISTENERS?.split(',')[0]
    assert.equal(`INSIDE://${environment?.KAFKA_BROKERS}`, inside, name)
    assert.match(environment?.SCHEMA_REGISTRY_URL ?? '', /^http:\/\/registry:8080\/apis\/ccompat\/v7$/)
    assert.deepEqual(volumes, ['learner:/data'], 'the only place that can be written to')
    for (const other of Object.keys(depends ?? {})) assert.ok(services[other] !== undefined, other)
  }
  assert.deepEqual(services.registry?.ports, ['127.0.0.1:8081:8080'])
  assert.deepEqual(services.kafka?.ports, ['127.0.0.1:9092:9092'])

  const named = commandsOf('compose')
  assert.equal(named.length, 3)
  for (const line of named) {
    assert.ok(line.startsWith('docker compose --file docker/compose.yaml '), line)
    const service = / (?:run --rm|exec) (\S+)/.exec(line)?.[1]
    if (service !== undefined) assert.ok(services[service] !== undefined, service)
  }
  const dockerfile = readFileSync(join(root, 'docker/Dockerfile'), 'utf8')
  assert.match(dockerfile, /COPY examples \.\/examples/)
  assert.match(dockerfile, /ENTRYPOINT \["node", "\/app\/dist\/cli\.js"\]/)
})

interface Service {
  command?: string | string[]
  environment?: Record<string, string>
  volumes?: string[]
  ports?: string[]
  depends_on?: Record<string, unknown>
}

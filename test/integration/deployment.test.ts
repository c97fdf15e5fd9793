/** What docker/ holds, as those who will read it do: Helm, Kubernetes' schemas, hadolint, the schema of compose files. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { parse } from 'yaml'
import { describeLeaves } from '../../src/config/describe.js'
import { loadConfig } from '../../src/config/load.js'
import { packageRoot } from '../../src/std/package-root.js'

interface Manifest {
  kind: string
  metadata: { name: string }
  data?: Record<string, string>
  spec?: { template?: { spec: PodSpec }; selector?: { matchLabels?: Record<string, string> } & Record<string, unknown> }
}
interface PodSpec {
  securityContext: { runAsNonRoot: boolean }
  containers: {
    args: string[]
    env: { name: string; value: string }[]
    securityContext: Record<string, unknown>
    volumeMounts: { mountPath: string; readOnly?: boolean }[]
    readinessProbe: unknown
    livenessProbe: unknown
  }[]
}
interface Checked {
  name: string
  error?: string
  findings?: string[]
  manifests?: Manifest[]
}

const root = packageRoot()
const chart = join(root, 'docker/helm/millrace')
const read = (path: string) => readFileSync(join(root, path), 'utf8')
const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache')
const checks = join(cache, 'millrace', 'deploy-checks')
const bin = join(checks, 'bin')
const skip = existsSync(join(bin, 'python'))
  ? false
  : 'the checks of docker/ are not provisioned (scripts/provision-deploy-checks)'

/** The oldest version of Kubernetes that the chart allows, and the newest that the schemas know. */
const KUBERNETES = ['1.27', '1.37']
const kafkaValues = read('docker/helm/millrace/values-kafka.yaml')
const everything = `${kafkaValues}
image: { pullSecrets: [registry] }
observe: { serviceMonitor: { enabled: true } }
networkPolicy: { enabled: true, httpFrom: [{ podSelector: {} }], observeFrom: [{ namespaceSelector: {} }] }
env: { NODE_OPTIONS: '--max-semi-space-size=64' }
serviceAccount: { annotations: { a: b } }
podAnnotations: { c: d }
`

function render(values: Record<string, string>): Map<string, Checked> {
  const input = JSON.stringify(Object.entries(values).map(([name, text]) => ({ name, values: text })))
  const { status, stdout, stderr } = spawnSync(
    join(bin, 'python'),
    [join(root, 'scripts/check-chart.py'), chart, ...KUBERNETES],
    { input, encoding: 'utf8', maxBuffer: 1e8 },
  )
  assert.equal(status, 0, stderr)
  return new Map((JSON.parse(stdout) as Checked[]).map(one => [one.name, one]))
}

/** What the program in the chart's containers is told, and by which environment. */
function loadRendered(manifests: readonly Manifest[], folder: string) {
  const text = manifests.find(({ kind }) => kind === 'ConfigMap')?.data?.['millrace.yaml'] ?? ''
  const file = join(folder, 'millrace.yaml')
  const secret = join(folder, 'secret')
  writeFileSync(file, text)
  writeFileSync(secret, `read:${'0'.repeat(64)}`)
  const pods = manifests.flatMap(({ spec }) => spec?.template?.spec ?? [])
  return pods.flatMap(pod =>
    pod.containers.map(container => {
      const env = Object.fromEntries(
        container.env.map(({ name, value }) => [name, name.endsWith('_FILE') ? secret : value]),
      )
      return { command: container.args[0], config: loadConfig(file, { env }).config, text }
    }),
  )
}

test('Helm renders and lints the chart, and Kubernetes knows every manifest', { skip }, t => {
  const rendered = render({ default: '', kafka: kafkaValues, everything })
  for (const { name, error, findings } of rendered.values())
    assert.deepEqual({ name, error, findings }, { name, error: undefined, findings: [] })
  const kinds = (name: string) =>
    (rendered.get(name)?.manifests ?? []).map(({ kind, metadata }) => `${kind} ${metadata.name}`).sort()
  assert.deepEqual(kinds('default'), [
    'ConfigMap shop-millrace',
    'PersistentVolumeClaim shop-millrace-data',
    'Service shop-millrace-learner-pods',
    'ServiceAccount shop-millrace',
    'StatefulSet shop-millrace-learner',
  ])
  assert.deepEqual(
    kinds('everything').filter(one => !kinds('default').includes(one)),
    [
      'Deployment shop-millrace-follower',
      'NetworkPolicy shop-millrace',
      'PodDisruptionBudget shop-millrace-follower',
      'PodDisruptionBudget shop-millrace-learner',
      'Service shop-millrace-follower',
      'Service shop-millrace-follower-pods',
      'Service shop-millrace-learner',
      'ServiceMonitor shop-millrace',
    ],
  )

  const folder = mkdtempSync(join(tmpdir(), 'millrace-chart-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const [demo] = loadRendered(rendered.get('default')?.manifests ?? [], folder)
  assert.equal(demo?.text.trim(), read('docker/helm/millrace/demo.yaml').trim())
  assert.equal(demo?.config.http.host, '127.0.0.1', 'nobody else is answered without keys')
  const [follower, learner] = loadRendered(rendered.get('kafka')?.manifests ?? [], folder)
  assert.deepEqual([follower?.command, learner?.command], ['serve', 'run'])
  for (const one of [follower, learner]) {
    assert.deepEqual(parse(one?.text ?? ''), parse(kafkaValues).config)
    assert.equal(one?.config.http.host, '0.0.0.0')
    assert.equal(one?.config.http.keys.length, 1)
    assert.equal(one?.config.observe.host, '0.0.0.0')
    assert.equal(one?.config.table.maxRows, 5_000_000)
    assert.notEqual(one?.config.kafka.sasl?.password, undefined)
  }
})

test('the Prometheus operator knows the ServiceMonitor, and would see a wrong one', { skip }, async () => {
  const models = join(checks, 'node/node_modules/@kubernetes-models/prometheus-operator')
  const { ServiceMonitor } = (await import(
    pathToFileURL(join(models, 'monitoring.coreos.com/v1/ServiceMonitor.js')).href
  )) as { ServiceMonitor: new (manifest: unknown) => { validate(): void } }
  const manifests = render({ everything }).get('everything')?.manifests ?? []
  const manifest = manifests.find(({ kind }) => kind === 'ServiceMonitor')
  assert.ok(manifest)
  assert.doesNotThrow(() => new ServiceMonitor(manifest).validate())
  const wrong = { ...manifest, spec: { ...manifest.spec, endpoints: [{ port: 'observe', interval: 'soon' }] } }
  assert.throws(() => new ServiceMonitor(wrong).validate(), /interval must match pattern/)
})

test('no container of the chart may be root, write elsewhere, or gets a secret as a variable', { skip }, () => {
  const pods = (render({ everything }).get('everything')?.manifests ?? []).flatMap(
    ({ spec }) => spec?.template?.spec ?? [],
  )
  assert.equal(pods.length, 2)
  for (const { securityContext, containers } of pods) {
    assert.equal(securityContext.runAsNonRoot, true)
    for (const container of containers) {
      assert.deepEqual(container.securityContext, {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      })
      const writable = container.volumeMounts.filter(({ readOnly }) => readOnly !== true)
      assert.deepEqual(
        writable.map(({ mountPath }) => mountPath),
        container.args[0] === 'run' ? ['/tmp', '/data'] : ['/tmp'],
      )
      const secrets = container.env.filter(({ name }) => /PASSWORD|KEYS/.test(name))
      assert.equal(secrets.length, 2)
      for (const { name, value } of secrets) assert.match(`${name}=${value}`, /_FILE=\/run\/millrace\/secrets\//)
    }
  }
})

test('a configuration given as text is passed on byte for byte', { skip }, () => {
  const text = '# as it is\nname: shop\ntasks: [] # one day\n'
  const indented = text.replace(/^/gm, '  ').trimEnd()
  const manifests = render({ text: `config: |\n${indented}\n` }).get('text')?.manifests ?? []
  assert.equal(manifests.find(({ kind }) => kind === 'ConfigMap')?.data?.['millrace.yaml'], text)
})

test('what can not work is refused before anything is installed', { skip }, () => {
  const refused = render({
    'a standby without Kafka': 'learner: { replicas: 2 }',
    'a standby with another volume': kafkaValues.replace('ReadWriteMany', 'ReadWriteOnce'),
    'a follower of files': 'follower: { replicas: 1 }',
    'a misspelt key': 'learnr: {}',
    'a password as a variable': 'env: { KAFKA_SASL_PASSWORD: hunter2 }',
    'not YAML': 'config: "a: ["',
  })
  const errors = [...refused.values()].map(({ name, error = 'is rendered' }) => `${name}: ${error}`)
  const expected = [/outputs\.kafka/, /ReadWriteMany/, /outputs\.kafka/, /learnr/, /KAFKA_SASL_PASSWORD/, /not YAML/]
  for (const [index, pattern] of expected.entries()) assert.match(errors[index] ?? '', pattern)
})

test("the chart is of the package's version, and its schema knows every secret that may be a file", () => {
  const { version } = JSON.parse(read('package.json')) as { version: string }
  const about = parse(read('docker/helm/millrace/Chart.yaml')) as { version: string; appVersion: string }
  assert.deepEqual([about.version, about.appVersion], [version, version])
  const schema = JSON.parse(read('docker/helm/millrace/values.schema.json')) as {
    properties: { secrets: { items: { properties: { variable: { enum: string[] } } } } }
  }
  const known = [...schema.properties.secrets.items.properties.variable.enum, 'MILLRACE_HTTP_KEYS']
  const secrets = describeLeaves().flatMap(({ secret, env }) => (secret === true && env !== undefined ? [env] : []))
  assert.deepEqual(known.sort(), secrets.sort())
})

test('hadolint has nothing to say against the Dockerfile, nor the schema of compose files against ours', {
  skip,
}, () => {
  for (const [tool, ...args] of [
    ['hadolint', '--no-color', 'docker/Dockerfile'],
    ['check-jsonschema', '--builtin-schema', 'vendor.compose-spec', 'docker/compose.yaml'],
  ]) {
    const { status, stdout, stderr } = spawnSync(join(bin, tool ?? ''), args, { cwd: root, encoding: 'utf8' })
    assert.equal(status, 0, stdout + stderr)
  }
})

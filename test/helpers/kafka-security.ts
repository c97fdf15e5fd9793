/**
 * What a secured broker needs: a certificate authority with certificates for the broker and its clients, users for SASL,
 * and an authoriser that denies what no ACL allows. One broker has all listeners at once, so that one start serves all
 * tests of security. The listener without protection is the super user: tests make topics, ACLs and independent
 * readings through it.
 */
import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import kafkajs, { type Admin } from 'kafkajs'
import { until } from './until.js'

// A CommonJS module whose names Node can not see from outside.
const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } = kafkajs

const run = promisify(execFile)

/**
 * tls: the server proves who it is. mtls: so does the client. expired: TLS with a server certificate of the past.
 * sasl, sasl-tls: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512, without and with encryption.
 */
export type Listener = 'tls' | 'mtls' | 'expired' | 'sasl' | 'sasl-tls'

export interface Certificate {
  /** PEM files. */
  cert: string
  key: string
}

export interface Secured {
  brokers: Record<Listener, string[]>
  /** The authority's certificate (PEM file). */
  ca: string
  /** An authority that nobody here trusts, and which signed nothing. */
  strangeCa: string
  /** Principal of `client` and `expiredClient`: User:CN=millrace; of `strangeClient`: another authority's CN=millrace. */
  client: Certificate
  expiredClient: Certificate
  strangeClient: Certificate
  /** Both exist with PLAIN and with both kinds of SCRAM; neither may do anything until an ACL allows it. */
  users: Record<'millrace' | 'stranger', string>
  ports: Record<string, number>
  protocols: Record<string, string>
  config: Record<string, string>
  scram: string[]
}

const NAMES: Record<Listener, [name: string, protocol: string]> = {
  tls: ['TLS', 'SSL'],
  mtls: ['MTLS', 'SSL'],
  expired: ['EXPIRED', 'SSL'],
  sasl: ['SASL', 'SASL_PLAINTEXT'],
  'sasl-tls': ['SASLTLS', 'SASL_SSL'],
}
const LISTENERS = Object.keys(NAMES) as Listener[]

export async function secure(dir: string, freePort: () => Promise<number>): Promise<Secured> {
  const folder = join(dir, 'security')
  mkdirSync(folder)
  const [authority, stranger] = await Promise.all([makeAuthority(folder, 'ca'), makeAuthority(folder, 'strange-ca')])
  const signed = (name: string, commonName: string, by: Authority, valid = true) =>
    makeCertificate(folder, name, commonName, by, valid)
  const [server, expiredServer, client, expiredClient, strangeClient] = [
    await signed('server', 'localhost', authority),
    await signed('expired-server', 'localhost', authority, false),
    await signed('client', 'millrace', authority),
    await signed('expired-client', 'millrace', authority, false),
    await signed('strange-client', 'millrace', stranger),
  ]
  const users = { millrace: 'millrace-secret-1', stranger: 'stranger-secret-2' }
  const ports: Record<string, number> = {}
  for (const listener of LISTENERS) ports[NAMES[listener][0]] = await freePort()
  return {
    brokers: Object.fromEntries(
      LISTENERS.map(listener => [listener, [`localhost:${ports[NAMES[listener][0]]}`]]),
    ) as Secured['brokers'],
    ca: authority.cert,
    strangeCa: stranger.cert,
    client,
    expiredClient,
    strangeClient,
    users,
    ports,
    protocols: Object.fromEntries(LISTENERS.map(listener => NAMES[listener])),
    scram: Object.entries(users).flatMap(([name, password]) =>
      ['SCRAM-SHA-256', 'SCRAM-SHA-512'].map(mechanism => `${mechanism}=[name=${name},password=${password}]`),
    ),
    config: {
      'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
      'super.users': 'User:ANONYMOUS',
      ...tlsListener('TLS', folder, server, authority),
      ...tlsListener('MTLS', folder, server, authority),
      'listener.name.mtls.ssl.client.auth': 'required',
      ...tlsListener('EXPIRED', folder, expiredServer, authority),
      ...tlsListener('SASLTLS', folder, server, authority),
      ...saslListener('SASL', users),
      ...saslListener('SASLTLS', users),
    },
  }
}

function tlsListener(name: string, folder: string, { cert, key }: Certificate, authority: Authority) {
  const store = join(folder, `${name}.pem`)
  writeFileSync(store, readFileSync(key, 'utf8') + readFileSync(cert, 'utf8'))
  const prefix = `listener.name.${name.toLowerCase()}.ssl`
  return {
    [`${prefix}.keystore.type`]: 'PEM',
    [`${prefix}.keystore.location`]: store,
    [`${prefix}.truststore.type`]: 'PEM',
    [`${prefix}.truststore.location`]: authority.cert,
  }
}

function saslListener(name: string, users: Record<string, string>) {
  const prefix = `listener.name.${name.toLowerCase()}`
  const plain = Object.entries(users).map(([user, password]) => ` user_${user}="${password}"`)
  const scram = 'org.apache.kafka.common.security.scram.ScramLoginModule required;'
  return {
    [`${prefix}.sasl.enabled.mechanisms`]: 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
    [`${prefix}.plain.sasl.jaas.config`]: `org.apache.kafka.common.security.plain.PlainLoginModule required${plain.join('')};`,
    [`${prefix}.scram-sha-256.sasl.jaas.config`]: scram,
    [`${prefix}.scram-sha-512.sasl.jaas.config`]: scram,
  }
}

interface Authority extends Certificate {
  name: string
}

async function makeAuthority(folder: string, name: string): Promise<Authority> {
  const [cert, key] = [join(folder, `${name}.crt`), join(folder, `${name}.key`)]
  await openssl(
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-days',
    '30',
    '-subj',
    `/CN=${name}`,
    '-keyout',
    key,
    '-out',
    cert,
  )
  return { name, cert, key }
}

async function makeCertificate(folder: string, name: string, commonName: string, by: Authority, valid: boolean) {
  const path = (end: string) => join(folder, `${name}.${end}`)
  await openssl(
    'req',
    '-new',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-subj',
    `/CN=${commonName}`,
    '-keyout',
    path('key'),
    '-out',
    path('csr'),
  )
  // `openssl ca` is the one that takes dates; it wants a folder of its own for its book-keeping.
  writeFileSync(path('index'), '')
  writeFileSync(
    path('cnf'),
    `[ca]
default_ca = own
[own]
database = ${path('index')}
new_certs_dir = ${folder}
rand_serial = yes
default_md = sha256
policy = any
x509_extensions = names
[any]
commonName = supplied
[names]
subjectAltName = DNS:localhost,IP:127.0.0.1
`,
  )
  const dates = valid ? ['-days', '30'] : ['-startdate', '20200101000000Z', '-enddate', '20200201000000Z']
  const files = ['-cert', by.cert, '-keyfile', by.key, '-in', path('csr'), '-out', path('crt')]
  await openssl('ca', '-batch', '-notext', '-config', path('cnf'), ...dates, ...files)
  return { cert: path('crt'), key: path('key') }
}

async function openssl(...args: string[]): Promise<void> {
  await run('openssl', args)
}

export type Allowed = 'read' | 'write' | 'describe' | 'create' | 'idempotent-write'

const OPERATIONS = {
  read: AclOperationTypes.READ,
  write: AclOperationTypes.WRITE,
  describe: AclOperationTypes.DESCRIBE,
  create: AclOperationTypes.CREATE,
  'idempotent-write': AclOperationTypes.IDEMPOTENT_WRITE,
} satisfies Record<Allowed, number>
const RESOURCES = {
  topic: AclResourceTypes.TOPIC,
  group: AclResourceTypes.GROUP,
  'transactional-id': AclResourceTypes.TRANSACTIONAL_ID,
  cluster: AclResourceTypes.CLUSTER,
}

/**
 * Allows a principal ('User:millrace', 'User:CN=millrace') operations on a resource; `name` may be '*'. Resolves when the
 * broker goes by it, which is a moment after it has taken it.
 */
export async function allow(
  admin: Admin,
  principal: string,
  resource: keyof typeof RESOURCES,
  name: string,
  operations: readonly Allowed[],
): Promise<void> {
  const acl = operations.map(operation => ({
    principal,
    host: '*',
    resourceType: RESOURCES[resource],
    resourceName: resource === 'cluster' ? 'kafka-cluster' : name,
    resourcePatternType: ResourcePatternTypes.LITERAL,
    operation: OPERATIONS[operation],
    permissionType: AclPermissionTypes.ALLOW,
  }))
  await admin.createAcls({ acl })
  for (const one of acl) {
    await until(`${principal} may use ${resource} ${name}`, async () => {
      const { resources } = await admin.describeAcls(one)
      return resources.some(({ acls }) => acls.length > 0)
    })
  }
}

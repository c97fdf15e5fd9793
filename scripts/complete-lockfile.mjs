// Some registries lack the native packages of other platforms; npm then leaves them out of the lockfile, and `npm ci`
// refuses that lockfile on every platform. This adds them: each is pinned by the package that lists it, and its name
// says its platform. Run it after a change of dependencies; it changes nothing when nothing is missing.
import { readFileSync, writeFileSync } from 'node:fs'

const NAME = /-(android|darwin|freebsd|linux|openharmony|win32)-(arm64|arm|ia32|ppc64|riscv64|s390x|x64)(?:-(\w+))?$/
const FILE = 'package-lock.json'
const lock = JSON.parse(readFileSync(FILE, 'utf8'))
const added = {}
for (const [path, { optionalDependencies = {}, dev, engines }] of Object.entries(lock.packages)) {
  if (path === '') continue
  for (const [name, version] of Object.entries(optionalDependencies)) {
    if (
      lock.packages[`node_modules/${name}`] !== undefined ||
      lock.packages[`${path}/node_modules/${name}`] !== undefined
    )
      continue
    const [, os, cpu, abi = ''] = NAME.exec(name) ?? []
    if (os === undefined || !/^\d/.test(version)) throw new Error(`${path} needs ${name}@${version}: add it by hand`)
    const libc = os !== 'linux' ? undefined : abi.startsWith('musl') ? ['musl'] : ['glibc']
    added[`node_modules/${name}`] = {
      version,
      cpu: [cpu],
      ...(dev ? { dev } : {}),
      ...(libc === undefined ? {} : { libc }),
      optional: true,
      os: [os],
      ...(engines === undefined ? {} : { engines }),
    }
  }
}
const [root, ...others] = Object.entries({ ...lock.packages, ...added })
others.sort(([a], [b]) => a.localeCompare(b, 'en'))
lock.packages = Object.fromEntries([root, ...others])
if (Object.keys(added).length > 0) writeFileSync(FILE, `${JSON.stringify(lock, null, 2)}\n`)
console.log(`${FILE}: ${Object.keys(added).length} packages of other platforms added`)

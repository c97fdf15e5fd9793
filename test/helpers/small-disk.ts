/** A disk of a size that a test can fill: a tmpfs. Only root may mount one. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface SmallDisk {
  path: string
  /** More or less space, or read-only; what lies there stays. */
  change(options: string): void
  remove(): void
}

export function mountSmallDisk(kilobytes: number): SmallDisk {
  const path = mkdtempSync(join(tmpdir(), 'millrace-disk-'))
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${kilobytes}k`, 'tmpfs', path], { stdio: 'pipe' })
  return {
    path,
    change: options => execFileSync('mount', ['-o', `remount,${options}`, path]),
    remove() {
      execFileSync('umount', [path])
      rmSync(path, { recursive: true })
    },
  }
}

/** The reason to skip a test that needs one; false if there is none. */
export function noSmallDisk(): string | false {
  try {
    mountSmallDisk(64).remove()
    return false
  } catch {
    return 'only root may mount a small disk'
  }
}

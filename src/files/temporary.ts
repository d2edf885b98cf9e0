import { createHash, randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { readdir, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { Descriptor } from './descriptor.js'
import { lifeOf, ownIdentity } from './process-identity.js'

/**
 * Files under way lie beside their target, as `.packvec-<target>-<host>-<process>-<start>-<number>.tmp`: the name says which
 * process writes it, so that what a killed one left behind is known for that, and what a living one writes is left alone.
 * `.claim` is a lock that is not in its place yet.
 */
const NAME = /^\.packvec-([0-9a-f]{16})-([0-9a-f]{24})-(\d+)-(\d+)-[0-9a-f]{12}\.(?:tmp|claim)$/

/** What only its owner may read, until it gets the permissions of its target. */
export const PRIVATE_MODE = 0o600

/** A new file beside `target`, open for reading and writing, that only its owner may read unless `mode` says more. */
export async function openTemporary(
  target: string,
  { mode = PRIVATE_MODE, kind = 'tmp' }: { readonly mode?: number; readonly kind?: 'tmp' | 'claim' } = {},
): Promise<{ path: string; handle: Descriptor }> {
  const { host, pid, start } = ownIdentity()
  const id = `${targetKey(target)}-${host}-${pid}-${start}-${randomBytes(6).toString('hex')}`
  const path = join(dirname(target), `.packvec-${id}.${kind}`)
  own.add(path)
  try {
    return { path, handle: await Descriptor.open(path, 'wx+', mode) }
  } catch (error) {
    // It may be there though the system says that it is not.
    await removeTemporary(path)
    throw error
  }
}

/**
 * Removes a file of `openTemporary`, if it is still there. If the system does not let it go now, it is removed by the
 * next work of this process in the same folder, or when a signal ends it.
 */
export async function removeTemporary(path: string): Promise<void> {
  try {
    await rm(path, { force: true })
    own.delete(path)
    kept.delete(path)
  } catch {
    kept.add(path)
  }
}

/** Removes what dead processes of this machine have left of their work on `target`, and what this one could not remove. */
export async function removeLeftovers(target: string): Promise<void> {
  const folder = dirname(target)
  for (const path of kept) if (dirname(path) === folder) await removeTemporary(path)
  // A folder that may be written but not listed keeps them.
  const names = await readdir(folder).catch(() => [])
  for (const name of names) {
    const [, key, host, pid, start] = NAME.exec(name) ?? []
    if (key !== targetKey(target)) continue
    if ((await lifeOf({ host: host!, pid: Number(pid), start: start! }, folder)) !== 'dead') continue
    await rm(join(folder, name), { force: true }).catch(() => undefined)
  }
}

/** Counts a file among the files under way of this process. */
export function holdFile(path: string): void {
  own.add(path)
}

/** No longer counts it: it is another's now. */
export function forgetFile(path: string): void {
  own.delete(path)
}

/** Removes all that this process has under way, at once: for a process that a signal ends. */
export function removeAllTemporaries(): void {
  for (const path of own) rmSync(path, { force: true })
}

/** What the names of files under way call their target. */
export function targetKey(target: string): string {
  return createHash('sha256').update(basename(target)).digest('hex').slice(0, 16)
}

/** Paths of the files that this process has under way. */
const own = new Set<string>()
/** Those of them whose work is over. */
const kept = new Set<string>()

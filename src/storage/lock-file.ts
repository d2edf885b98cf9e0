import { randomBytes } from 'node:crypto'
import { access, link, readFile, rm } from 'node:fs/promises'
import { hostname } from 'node:os'
import { dirname, join } from 'node:path'
import { Descriptor } from './descriptor.js'
import { io } from './file.js'
import { lifeOf, ownIdentity, type ProcessIdentity } from './process-identity.js'
import { forgetFile, holdFile, openTemporary, removeTemporary, targetKey } from './temporary.js'

/** What a lock file says of the process that holds it. */
export interface Holder extends ProcessIdentity {
  /** The name of its machine. */
  readonly hostName: string
  /** What it does, and since when (ISO 8601). */
  readonly work: string
  readonly since: string
  /** Of this lock alone. */
  readonly token: string
}

/** Called while another process holds a lock: waits a little, or throws. */
export type Wait = (lockPath: string, holder: Holder | 'unreadable', life: 'alive' | 'unknown') => Promise<void>

/** What systems say where a file cannot have two names. */
const NO_LINKS: readonly (string | undefined)[] = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EINVAL']

/** A lock between processes: a file beside its target, which is there as long as one of them writes. */
export class LockFile {
  readonly #path: string
  readonly #token: string

  private constructor(path: string, token: string) {
    this.#path = path
    this.#token = token
  }

  /**
   * Takes the lock of a target once nobody has it. A lock whose holder is dead is taken away from it.
   * @param target the real path; `name` is what the caller calls it
   * @throws PackvecError `IO`, and what `wait` throws
   */
  static async acquire(target: string, name: string, work: string, wait: Wait): Promise<LockFile> {
    const path = join(dirname(target), `.packvec-${targetKey(target)}.lock`)
    return acquireAt(path, { target, name, work, wait }, (token) => new LockFile(path, token))
  }

  /** Whether the lock is still ours: a user may have removed the file. */
  async isHeld(): Promise<boolean> {
    const holder = await readHolder(this.#path)
    return typeof holder === 'object' && holder.token === this.#token
  }

  async release(): Promise<void> {
    if (await this.isHeld()) await removeTemporary(this.#path)
    else forgetFile(this.#path)
  }
}

interface Request {
  readonly target: string
  readonly name: string
  readonly work: string
  readonly wait: Wait
}

async function acquireAt<T>(path: string, request: Request, opened: (token: string) => T): Promise<T> {
  const { target, name, work } = request
  const token = randomBytes(16).toString('hex')
  const holder: Holder = { ...ownIdentity(), hostName: hostname(), work, since: new Date().toISOString(), token }
  const claim = await io('write', name, () => openTemporary(target, { mode: 0o644, kind: 'claim' }))
  try {
    await io('write', name, async () => {
      await claim.handle.writeText(JSON.stringify(holder))
      await claim.handle.close()
    })
    while (!(await io('write', name, () => place(claim.path, path, holder)))) await waitFor(path, request)
    holdFile(path)
    if (await isThere(guardOf(path))) await removeDeadGuard(path, request)
    return opened(token)
  } finally {
    await claim.handle.close().catch(() => undefined)
    await removeTemporary(claim.path)
  }
}

/** Puts a lock in its place, whole at once, unless there is one; false where there is. */
async function place(claim: string, path: string, holder: Holder): Promise<boolean> {
  try {
    await link(claim, path)
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') return false
    if (!NO_LINKS.includes(code)) throw error
  }
  return placeWithoutLinks(path, holder)
}

async function placeWithoutLinks(path: string, holder: Holder): Promise<boolean> {
  const handle = await Descriptor.open(path, 'wx', 0o644).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EEXIST') return undefined
    throw error
  })
  if (handle === undefined) return false
  try {
    await handle.writeText(JSON.stringify(holder))
  } catch (error) {
    await rm(path, { force: true })
    throw error
  } finally {
    await handle.close()
  }
  return true
}

/** Waits for the holder of a lock to end; takes the lock away from a dead one. */
async function waitFor(path: string, request: Request): Promise<void> {
  const holder = await readHolder(path)
  if (holder === undefined) return
  const life = holder === 'unreadable' ? 'unknown' : await lifeOf(holder, dirname(path))
  if (holder === 'unreadable' || life !== 'dead') return request.wait(path, holder, life as 'alive' | 'unknown')
  await underGuard(path, request, async () => {
    const now = await readHolder(path)
    if (typeof now === 'object' && now.token === holder.token) await rm(path, { force: true })
  })
}

/**
 * Runs what removes a dead process's lock under a lock of its own: two that both saw the dead one's must not remove it twice,
 * for the second time it would be that of a living one. The guard is a lock like any, with a guard of its own.
 */
async function underGuard(path: string, request: Request, run: () => Promise<void>): Promise<void> {
  const guard = guardOf(path)
  await acquireAt(guard, request, () => undefined)
  try {
    await io('write', request.name, run)
  } finally {
    await removeTemporary(guard)
  }
}

/** Removes what a process left that was killed while it took a dead one's lock away. */
async function removeDeadGuard(path: string, request: Request): Promise<void> {
  const wait = () => Promise.reject(new Error('its holder lives'))
  await underGuard(path, { ...request, wait }, async () => {}).catch(() => undefined)
}

function guardOf(path: string): string {
  return `${path}.guard`
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}

/** Who holds a lock; undefined where nobody does. */
async function readHolder(path: string): Promise<Holder | 'unreadable' | undefined> {
  try {
    const { host, pid, start, hostName, work, since, token } = JSON.parse(await readFile(path, 'utf8'))
    const texts = [host, start, hostName, work, since, token]
    if (!texts.every((text) => typeof text === 'string') || !Number.isInteger(pid)) return 'unreadable'
    return { host, pid, start, hostName, work, since, token }
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? undefined : 'unreadable'
  }
}

import { fstatSync, readdirSync, statSync } from 'node:fs'
import { link, readFile, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Descriptor } from './descriptor.js'
import { lifeOf, type ProcessIdentity } from './process-identity.js'

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

/** The codes of systems on which a file cannot have two names. */
const NO_LINKS: readonly (string | undefined)[] = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EINVAL']

/** Puts a lock in its place, whole at once, unless there is one; returns the open file if there was none. */
export async function place(
  claim: { readonly path: string; readonly handle: Descriptor },
  path: string,
  holder: Holder,
): Promise<Descriptor | undefined> {
  try {
    await link(claim.path, path)
    return claim.handle
  } catch (error) {
    // File systems behind a network may have done it and lost the answer.
    if (isHolder(await readHolder(path), holder.token)) return claim.handle
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') return undefined
    if (!NO_LINKS.includes(code)) throw error
  }
  return placeWithoutLinks(path, holder)
}

async function placeWithoutLinks(path: string, holder: Holder): Promise<Descriptor | undefined> {
  const handle = await Descriptor.open(path, 'wx', 0o644).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EEXIST') return undefined
    throw error
  })
  try {
    await handle?.writeText(JSON.stringify(holder))
    return handle
  } catch (error) {
    await rm(path, { force: true })
    await handle?.close()
    throw error
  }
}

/** Tokens of locks that this thread gave back, though the system has kept their files: nobody holds them. */
const givenBack = new Set<string>()
const GIVE_BACK_ATTEMPTS = 3
const GIVE_BACK_PAUSE_MS = 10

/** Removes a lock if it is ours. Where the system keeps the file, it hinders no further work of this thread. */
export async function giveBack(path: string, token: string): Promise<void> {
  givenBack.add(token)
  for (let attempt = 0; attempt < GIVE_BACK_ATTEMPTS; attempt++) {
    if (attempt > 0) await new Promise((resolve) => setTimeout(resolve, GIVE_BACK_PAUSE_MS))
    const holder = await readHolder(path)
    if (holder === 'unreadable' || (isHolder(holder, token) && !(await isRemoved(path)))) continue
    givenBack.delete(token)
    return
  }
}

async function isRemoved(path: string): Promise<boolean> {
  return rm(path, { force: true }).then(
    () => true,
    () => false,
  )
}

export function isHolder(holder: Holder | 'unreadable' | undefined, token: string): boolean {
  return typeof holder === 'object' && holder.token === token
}

/** A thread of this process may have ended without its lock, which no file is open of then. */
export async function lifeOfHolder(path: string, holder: Holder): Promise<'alive' | 'dead' | 'unknown'> {
  if (givenBack.has(holder.token)) return 'dead'
  const life = await lifeOf(holder, dirname(path))
  return life === 'alive' && holder.pid === process.pid && !isOpenHere(path) ? 'dead' : life
}

/** Whether any thread of this process has a file open; true if the system does not say. */
function isOpenHere(path: string): boolean {
  try {
    const { dev, ino } = statSync(path, { bigint: true })
    return readdirSync('/proc/self/fd').some((fd) => {
      // The one that lists the folder is closed by now.
      const stats = attempt(() => fstatSync(Number(fd), { bigint: true }))
      return stats !== undefined && stats.dev === dev && stats.ino === ino
    })
  } catch {
    return true
  }
}

function attempt<T>(run: () => T): T | undefined {
  try {
    return run()
  } catch {
    return undefined
  }
}

/** Who holds a lock; undefined where nobody does, 'unreadable' where the file says nothing, or the system will not read it. */
export async function readHolder(path: string): Promise<Holder | 'unreadable' | undefined> {
  return readLock(path).catch(() => 'unreadable')
}

/** `readHolder`, which passes on why the system will not read the file. */
export async function readLock(path: string): Promise<Holder | 'unreadable' | undefined> {
  try {
    const { host, pid, start, hostName, work, since, token } = JSON.parse(await readFile(path, 'utf8'))
    const texts = [host, start, hostName, work, since, token]
    if (!texts.every((text) => typeof text === 'string') || !Number.isInteger(pid)) return 'unreadable'
    return { host, pid, start, hostName, work, since, token }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return undefined
    if (code === undefined) return 'unreadable'
    throw error
  }
}

import { randomBytes } from 'node:crypto'
import { access, rm } from 'node:fs/promises'
import { hostname } from 'node:os'
import { dirname, join } from 'node:path'
import type { Descriptor } from './descriptor.js'
import { io } from './file.js'
import { giveBack, type Holder, isHolder, lifeOfHolder, place, readHolder, readLock } from './lock-holder.js'
import { ownIdentity } from './process-identity.js'
import { forgetFile, holdFile, openTemporary, removeTemporary, targetKey } from './temporary.js'

/** Called while another process holds a lock: waits a little, or throws. */
export type Wait = (lockPath: string, holder: Holder | 'unreadable', life: 'alive' | 'unknown') => Promise<void>

/** A lock between processes: a file beside its target, which is there as long as one of them writes. */
export class LockFile {
  readonly #path: string
  readonly #token: string
  /** Open as long as the lock is held: a thread that is ended takes it along. */
  readonly #handle: Descriptor

  private constructor(path: string, token: string, handle: Descriptor) {
    this.#path = path
    this.#token = token
    this.#handle = handle
  }

  /**
   * Takes the lock of a target once nobody has it. A lock whose holder is dead is taken away from it.
   * @param target the real path; `name` is what the caller calls it
   * @throws PackvecError `IO`, and what `wait` throws
   */
  static async acquire(target: string, name: string, work: string, wait: Wait): Promise<LockFile> {
    const path = join(dirname(target), `.packvec-${targetKey(target)}.lock`)
    const lock = await LockFile.#acquireAt(path, { target, name, work, wait })
    if (await isThere(guardOf(path))) await LockFile.#removeDeadGuard(path, { target, name, work, wait })
    return lock
  }

  /** Whether the lock is still ours: a user may have removed the file. @throws PackvecError `IO` where it cannot be read */
  async isHeld(): Promise<boolean> {
    return isHolder(await io('read', this.#path, () => readLock(this.#path)), this.#token)
  }

  async release(): Promise<void> {
    await giveBack(this.#path, this.#token)
    // From now on it may be another's.
    forgetFile(this.#path)
    await this.#handle.close().catch(() => undefined)
  }

  static async #acquireAt(path: string, request: Request): Promise<LockFile> {
    const { target, name, work } = request
    const token = randomBytes(16).toString('hex')
    const holder: Holder = { ...ownIdentity(), hostName: hostname(), work, since: new Date().toISOString(), token }
    const claim = await io('write', name, () => openTemporary(target, { mode: 0o644, kind: 'claim' }))
    let handle: Descriptor | undefined
    try {
      await io('write', name, () => claim.handle.writeText(JSON.stringify(holder)))
      while (handle === undefined) {
        handle = await io('write', name, () => place(claim, path, holder))
        if (handle === undefined) await LockFile.#waitFor(path, request)
      }
      holdFile(path)
      return new LockFile(path, token, handle)
    } catch (error) {
      // It may be in its place though the system says that it is not.
      await giveBack(path, token)
      throw error
    } finally {
      if (handle !== claim.handle) await claim.handle.close().catch(() => undefined)
      await removeTemporary(claim.path)
    }
  }

  /** Waits for the holder of a lock to end; takes the lock away from a dead one. */
  static async #waitFor(path: string, request: Request): Promise<void> {
    const holder = await readHolder(path)
    if (holder === undefined) return
    const life = holder === 'unreadable' ? 'unknown' : await lifeOfHolder(path, holder)
    if (holder === 'unreadable' || life !== 'dead') return request.wait(path, holder, life as 'alive' | 'unknown')
    await LockFile.#underGuard(path, request, async () => {
      if (isHolder(await readHolder(path), holder.token)) await rm(path, { force: true })
    })
  }

  /**
   * Runs what removes a dead process's lock under a lock of its own: two that both saw the dead one's must not remove it
   * twice, for the second time it would be that of a living one. The guard is a lock like any, with a guard of its own.
   */
  static async #underGuard(path: string, request: Request, run: () => Promise<void>): Promise<void> {
    const guard = await LockFile.#acquireAt(guardOf(path), request)
    try {
      await io('write', request.name, run)
    } finally {
      await guard.release()
    }
  }

  /** Removes what a process left that was killed while it took a dead one's lock away. */
  static async #removeDeadGuard(path: string, request: Request): Promise<void> {
    const wait = () => Promise.reject(new Error('its holder lives'))
    await LockFile.#underGuard(path, { ...request, wait }, async () => {}).catch(() => undefined)
  }
}

interface Request {
  readonly target: string
  readonly name: string
  readonly work: string
  readonly wait: Wait
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

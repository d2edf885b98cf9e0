import { rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { checkIterable, describe, fail, isInstance } from '../base/check.js'
import { Descriptor } from './descriptor.js'
import { io, MAX_CALL_BYTES } from './file.js'
import { checkPath } from './path.js'
import { resolveTarget, type Target } from './target.js'
import { openTemporary, PRIVATE_MODE, removeLeftovers, removeTemporary } from './temporary.js'
import { type LockOptions, type WriterLock, withWriterLock } from './writer-lock.js'

/** How a file is put in its place. */
export interface ReplaceOptions extends LockOptions {
  /** The lock that the caller has; without one it is taken for the renaming alone. */
  readonly lock?: WriterLock
  /** Runs when everything is on the disk, right before the renaming; an error of it keeps the old file. */
  readonly beforeRename?: () => Promise<void>
}

/** What a file gets that replaces none, less the process's mask. */
const NEW_MODE = 0o666

/** A file that appears whole or not at all: written beside its place, flushed to the disk, then renamed. */
export class AtomicFile {
  readonly path: string
  readonly #target: string
  readonly #options: ReplaceOptions
  readonly #temporary: string
  readonly #handle: Descriptor

  private constructor(
    path: string,
    target: string,
    options: ReplaceOptions,
    temporary: { path: string; handle: Descriptor },
  ) {
    this.path = path
    this.#target = target
    this.#options = options
    this.#temporary = temporary.path
    this.#handle = temporary.handle
  }

  /**
   * Begins a file for `path`, and removes what processes that were killed left of theirs.
   * @throws PackvecError `IO`
   */
  static async open(path: string, options: ReplaceOptions = {}): Promise<AtomicFile> {
    const target = await resolveTarget(options.lock?.target ?? path)
    await removeLeftovers(target.path)
    const mode = target.stats === undefined ? NEW_MODE : PRIVATE_MODE
    const temporary = await io('write', path, () => openTemporary(target.path, { mode }))
    const file = new AtomicFile(path, target.path, options, temporary)
    try {
      await io('write', path, () => takePermissions(temporary.handle, target))
    } catch (error) {
      await file.discard()
      throw error
    }
    return file
  }

  /** Writes all of `bytes` from `position` on. @throws PackvecError `IO` */
  async writeAt(position: number, bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      const length = Math.min(MAX_CALL_BYTES, bytes.length - done)
      const write = () => this.#handle.write(bytes, done, length, position + done)
      done += (await io('write', this.path, write)).bytesWritten
    }
  }

  /**
   * Puts the file in its place: an existing one is replaced, its permissions and a symbolic link to it stay.
   * @throws PackvecError `IO`, `LOCKED`, `CHANGED` where the lock was taken away, and what `beforeRename` throws
   */
  async commit(): Promise<void> {
    const { lock, ...options } = this.#options
    await io('write', this.path, async () => {
      await this.#handle.sync()
      await this.#handle.close()
    })
    if (lock !== undefined) await this.#rename(lock)
    // Of the file that was found at the beginning, wherever a link leads by now.
    else await withWriterLock(this.#target, 'a write', options, (taken) => this.#rename(taken))
    await removeTemporary(this.#temporary)
  }

  async #rename(lock: WriterLock): Promise<void> {
    await this.#options.beforeRename?.()
    await lock.check()
    await io('write', this.path, async () => {
      await rename(this.#temporary, this.#target)
      await syncFolder(dirname(this.#target))
    })
  }

  /** Removes the unfinished file; does nothing once the file is in its place. */
  async discard(): Promise<void> {
    await this.#handle.close().catch(() => undefined)
    await removeTemporary(this.#temporary)
  }
}

/**
 * Writes a file whole or not at all: beside its place, flushed to the disk, then renamed. An existing file is replaced, its
 * permissions and a symbolic link to it stay. When anything fails, `chunks` included, nothing is left behind.
 *
 * @throws PackvecError `IO`, `LOCKED` if another writer of the file does not end, and any error of `chunks`
 */
export async function writeFileAtomic(
  path: string,
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<void> {
  checkIterable(chunks, 'chunks', 'an iterable of Uint8Arrays')
  await replaceFile(checkPath(path), async (file) => {
    let position = 0
    for await (const chunk of chunks) {
      if (!isInstance(chunk, Uint8Array)) fail('INVALID_ARGUMENT', 'chunks', 'Uint8Arrays', describe(chunk))
      await file.writeAt(position, chunk)
      position += chunk.length
    }
  })
}

/** Puts the file that `write` fills in its place; when that fails, nothing is left behind and nothing has changed. */
export async function replaceFile<T>(
  path: string,
  write: (file: AtomicFile) => Promise<T>,
  options: ReplaceOptions = {},
): Promise<T> {
  const file = await AtomicFile.open(path, options)
  try {
    const result = await write(file)
    await file.commit()
    return result
  } catch (error) {
    await file.discard()
    throw error
  }
}

/**
 * Gives a new file the owner and the permissions of the one it will replace, before it holds a byte. Where the group cannot be
 * given, another one must not read what that group may.
 */
async function takePermissions(handle: Descriptor, { stats }: Target): Promise<void> {
  if (stats === undefined) return
  const { uid, gid } = await handle.owner()
  const isGiven = (change: Promise<void>) =>
    change.then(
      () => true,
      () => false,
    )
  const hasGroup = gid === stats.gid || (await isGiven(handle.chown(uid, stats.gid)))
  if (uid !== stats.uid) await isGiven(handle.chown(stats.uid, hasGroup ? stats.gid : gid))
  const mode = stats.mode & 0o777
  await handle.chmod(hasGroup ? mode : (mode & 0o707) | ((mode & 0o007) << 3))
}

/** Makes a rename outlast a loss of power, if the system can open a folder. */
async function syncFolder(path: string): Promise<void> {
  const handle = await Descriptor.open(path, 'r').catch(() => undefined)
  await handle?.sync().catch(() => undefined)
  await handle?.close().catch(() => undefined)
}

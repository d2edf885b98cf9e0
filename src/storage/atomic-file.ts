import { access, constants, type FileHandle, open, realpath, rename, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { io, notAFile, PIECE_BYTES } from './file.js'
import { openTemporary, removeLeftovers, removeTemporary } from './temporary.js'

/** A file that appears whole or not at all: written beside its place, flushed to the disk, then renamed. */
export class AtomicFile {
  readonly path: string
  readonly #target: string
  readonly #mode: number | undefined
  readonly #temporary: string
  readonly #handle: FileHandle

  private constructor(
    path: string,
    { target, mode }: { target: string; mode: number | undefined },
    temporary: { path: string; handle: FileHandle },
  ) {
    this.path = path
    this.#target = target
    this.#mode = mode
    this.#temporary = temporary.path
    this.#handle = temporary.handle
  }

  /**
   * Begins a file for `path`, and removes what processes that were killed left of theirs.
   * @throws PackvecError `IO`
   */
  static async open(path: string): Promise<AtomicFile> {
    const resolved = await resolveTarget(path)
    await removeLeftovers(resolved.target)
    return new AtomicFile(path, resolved, await io('write', path, () => openTemporary(resolved.target)))
  }

  /** Writes all of `bytes` from `position` on. @throws PackvecError `IO` */
  async writeAt(position: number, bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      const length = Math.min(PIECE_BYTES, bytes.length - done)
      const write = () => this.#handle.write(bytes, done, length, position + done)
      done += (await io('write', this.path, write)).bytesWritten
    }
  }

  /** Puts the file in its place: an existing one is replaced, its permissions and a symbolic link to it stay. */
  async commit(): Promise<void> {
    await io('write', this.path, async () => {
      if (this.#mode !== undefined) await this.#handle.chmod(this.#mode)
      await this.#handle.sync()
      await this.#handle.close()
      await rename(this.#temporary, this.#target)
      await syncFolder(dirname(this.#target))
    })
    await removeTemporary(this.#temporary)
  }

  /** Leaves nothing behind; does nothing to a file that is in its place. */
  async discard(): Promise<void> {
    await this.#handle.close().catch(() => undefined)
    await removeTemporary(this.#temporary)
  }
}

/**
 * Writes a file whole or not at all: beside its place, flushed to the disk, then renamed. An existing file is replaced, its
 * permissions and a symbolic link to it stay. When anything fails, `chunks` included, nothing is left behind.
 *
 * @throws PackvecError `IO`, and whatever `chunks` throws
 */
export async function writeFileAtomic(
  path: string,
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<void> {
  await replaceFile(path, async (file) => {
    let position = 0
    for await (const chunk of chunks) {
      await file.writeAt(position, chunk)
      position += chunk.length
    }
  })
}

/** Puts the file that `write` fills in its place; when that fails, nothing is left behind and nothing has changed. */
export async function replaceFile<T>(path: string, write: (file: AtomicFile) => Promise<T>): Promise<T> {
  const file = await AtomicFile.open(path)
  try {
    const result = await write(file)
    await file.commit()
    return result
  } catch (error) {
    await file.discard()
    throw error
  }
}

/** Makes a rename outlast a loss of power, where the system can open a folder. */
async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r').catch(() => undefined)
  await handle?.sync().catch(() => undefined)
  await handle?.close()
}

/** Where the file really goes, and the permissions it has there already. */
async function resolveTarget(path: string): Promise<{ target: string; mode: number | undefined }> {
  const stats = await io('write', path, () =>
    stat(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined
      throw error
    }),
  )
  if (stats === undefined) return { target: path, mode: undefined }
  // Renaming over a device such as /dev/null would replace the device.
  if (!stats.isFile()) throw notAFile('write', path, stats.isDirectory())
  await io('write', path, () => access(path, constants.W_OK))
  return { target: await io('write', path, () => realpath(path)), mode: stats.mode & 0o777 }
}

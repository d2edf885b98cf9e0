import { randomUUID } from 'node:crypto'
import { access, constants, type FileHandle, open, realpath, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { PackvecError } from '../errors.js'

/** A read or write of 2 GiB or more fails in Node; pieces of this size lose nothing. */
const PIECE_BYTES = 1 << 28

/** A file open for reading. */
export interface OpenFile {
  /** Length in bytes when it was opened. */
  readonly bytes: number
  /** Fills `target` from `position` on: one array of any length. */
  read(position: number, target: Uint8Array): Promise<void>
  /** The first `length` bytes, or all there are. */
  prefix(length: number): Promise<Uint8Array>
}

/**
 * Opens a file, gives it to `use` and closes it.
 *
 * @throws PackvecError `IO`; what `use` throws of its own gets the path in front of its message
 */
export async function withFile<T>(path: string, use: (file: OpenFile) => Promise<T>): Promise<T> {
  const stats = await io('read', path, () => stat(path))
  // Looked at before opening: opening a pipe waits for its writer.
  if (!stats.isFile()) throw notAFile('read', path, stats.isDirectory())
  const handle = await io('read', path, () => open(path, 'r'))
  try {
    const { size } = await io('read', path, () => handle.stat())
    const read = (position: number, target: Uint8Array) => readAt(handle, path, position, target)
    const prefix = async (length: number) => {
      const target = new Uint8Array(Math.min(length, size))
      await read(0, target)
      return target
    }
    return await use({ bytes: size, read, prefix })
  } catch (error) {
    if (!(error instanceof PackvecError) || error.code === 'IO') throw error
    throw new PackvecError(error.code, error.argument, `${path}: ${error.message}`, { cause: error })
  } finally {
    await handle.close()
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
  const { target, mode } = await resolveTarget(path)
  const temporary = join(dirname(target), `.packvec-${randomUUID()}.tmp`)
  const handle = await io('write', path, () => open(temporary, 'wx'))
  try {
    try {
      for await (const chunk of chunks) await io('write', path, () => writeAll(handle, chunk))
      await io('write', path, async () => {
        if (mode !== undefined) await handle.chmod(mode)
        await handle.sync()
      })
    } finally {
      await io('write', path, () => handle.close())
    }
    await io('write', path, () => rename(temporary, target))
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined)
    throw error
  }
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

async function readAt(handle: FileHandle, path: string, position: number, target: Uint8Array): Promise<void> {
  for (let done = 0; done < target.length; ) {
    const length = Math.min(PIECE_BYTES, target.length - done)
    const { bytesRead } = await io('read', path, () => handle.read(target, done, length, position + done))
    if (bytesRead === 0) {
      const message = `the file ends at byte ${position + done}, expected ${position + target.length} bytes`
      throw new PackvecError('INVALID_FILE', 'path', message)
    }
    done += bytesRead
  }
}

async function writeAll(handle: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let done = 0; done < chunk.length; ) {
    const length = Math.min(PIECE_BYTES, chunk.length - done)
    done += (await handle.write(chunk, done, length)).bytesWritten
  }
}

/** Runs one step of reading or writing; an error of the system becomes one of ours. */
export async function io<T>(verb: 'read' | 'write', path: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (cause) {
    // "ENOENT: no such file or directory, open '/x'": the reason in words, without the system call.
    const { message, code } = cause as NodeJS.ErrnoException
    const reason = /^\w+: ([^,]*)/.exec(message)?.[1] ?? message
    throw new PackvecError('IO', 'path', `cannot ${verb} ${path}: ${reason}${code ? ` (${code})` : ''}`, { cause })
  }
}

export function notAFile(verb: 'read' | 'write', path: string, isDirectory: boolean): PackvecError {
  const what = isDirectory ? 'a directory' : 'a pipe, socket or device'
  return new PackvecError('IO', 'path', `cannot ${verb} ${path}: expected a file, got ${what}`)
}

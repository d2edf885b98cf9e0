import { stat } from 'node:fs/promises'
import { PackvecError } from '../base/errors.js'
import { Descriptor } from './descriptor.js'

/** A read or write of 2 GiB or more fails in Node; pieces of this size lose nothing. */
export const MAX_CALL_BYTES = 1 << 28

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
  const file = await openFile(path)
  try {
    return await use(file)
  } catch (error) {
    throw naming(path, error)
  } finally {
    await file.close()
  }
}

/** Opens a file that the caller closes. @throws PackvecError `IO` */
export async function openFile(path: string): Promise<OpenFile & { close(): Promise<void> }> {
  const stats = await io('read', path, () => stat(path))
  // Looked at before opening: opening a pipe waits for its writer.
  if (!stats.isFile()) throw notAFile('read', path, stats.isDirectory())
  const file = await io('read', path, () => Descriptor.open(path, 'r'))
  const bytes = await sizeOf(file, path)
  const read = (position: number, target: Uint8Array) => readAt(file, path, position, target)
  const prefix = async (length: number) => {
    const target = new Uint8Array(Math.min(length, bytes))
    await read(0, target)
    return target
  }
  // Nothing was written that could be lost.
  return { bytes, read, prefix, close: () => file.close().catch(() => undefined) }
}

async function sizeOf(file: Descriptor, path: string): Promise<number> {
  try {
    return Number((await io('read', path, () => file.stat())).size)
  } catch (error) {
    await file.close().catch(() => undefined)
    throw error
  }
}

/** Runs a check of a file's bytes: its fault gets the path in front. */
export function named(path: string, check: () => void): void {
  try {
    check()
  } catch (error) {
    throw naming(path, error)
  }
}

/** What is wrong with a file, with its path in front; errors of the system have it already. */
export function naming(path: string, error: unknown): unknown {
  if (!(error instanceof PackvecError) || error.code === 'IO' || error.message.includes(path)) return error
  return new PackvecError(error.code, error.argument, `${path}: ${error.message}`, { cause: error })
}

export async function readAt(file: Descriptor, path: string, position: number, target: Uint8Array): Promise<void> {
  for (let done = 0; done < target.length; ) {
    const length = Math.min(MAX_CALL_BYTES, target.length - done)
    const { bytesRead } = await io('read', path, () => file.read(target, done, length, position + done))
    if (bytesRead === 0) {
      const message = `the file ends at byte ${position + done}, but it should have at least ${position + target.length} bytes`
      throw new PackvecError('INVALID_FILE', 'path', message)
    }
    done += bytesRead
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

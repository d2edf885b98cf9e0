import { throwIfAborted } from '../base/abort.js'
import { PackvecError } from '../base/errors.js'
import { type ByteRange, type ByteSource, changed, checkWithin, cutOff, streamPieces } from './source.js'

/** A Blob, or a File that a user chose: only the requested bytes come to memory. */
export class BlobSource implements ByteSource {
  readonly name: string
  readonly #blob: Blob

  constructor(blob: Blob) {
    this.#blob = blob
    this.name = (blob as { name?: string }).name ?? 'blob'
  }

  get byteLength(): number {
    return this.#blob.size
  }

  async read(position: number, target: Uint8Array, signal?: AbortSignal): Promise<void> {
    throwIfAborted(signal)
    checkWithin(this, position, target.length)
    const bytes = await readBlob(this.#blob, position, target.length, this.name)
    throwIfAborted(signal)
    target.set(bytes)
  }

  async readMany(ranges: readonly ByteRange[], signal?: AbortSignal): Promise<void> {
    await Promise.all(ranges.map(({ position, target }) => this.read(position, target, signal)))
  }

  stream(position: number, length: number, signal?: AbortSignal): AsyncIterable<Uint8Array> {
    return streamPieces(this, position, length, signal)
  }

  async close(): Promise<void> {}
}

/** A part of a blob. @throws PackvecError CHANGED if the file behind it was written to, IO, INVALID_FILE */
export async function readBlob(blob: Blob, position: number, length: number, name: string): Promise<Uint8Array> {
  let bytes: Uint8Array
  try {
    bytes = new Uint8Array(await blob.slice(position, position + length).arrayBuffer())
  } catch (cause) {
    const { name: kind, message } = cause as DOMException
    // A browser refuses to read a File whose date or length is no longer the one of its choosing.
    if (kind === 'NotReadableError' || kind === 'NotFoundError') throw changed(name, message)
    throw new PackvecError('IO', 'source', `cannot read ${name}: ${message}`, { cause })
  }
  if (bytes.length !== length) throw cutOff(name, position + bytes.length, position + length)
  return bytes
}

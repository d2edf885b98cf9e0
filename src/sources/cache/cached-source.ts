import { throwIfAborted } from '../../base/abort.js'
import { readBlob } from '../blob-source.js'
import { type ByteRange, type ByteSource, changed, checkWithin, streamPieces } from '../source.js'
import { type Manifest, pieceName } from './cache.js'
import type { PieceCache } from './piece-cache.js'

/** The complete copy of a file in a cache. */
export class CachedSource implements ByteSource {
  readonly name: string
  readonly #cache: PieceCache
  readonly #file: string
  readonly #manifest: Manifest
  /** Handles of pieces, not their bytes. */
  readonly #pieces = new Map<number, Promise<Blob>>()

  constructor(name: string, cache: PieceCache, file: string, manifest: Manifest) {
    this.name = name
    this.#cache = cache
    this.#file = file
    this.#manifest = manifest
  }

  get byteLength(): number {
    return this.#manifest.byteLength
  }

  async read(position: number, target: Uint8Array, signal?: AbortSignal): Promise<void> {
    throwIfAborted(signal)
    checkWithin(this, position, target.length)
    const { pieceBytes } = this.#manifest
    for (let done = 0; done < target.length; ) {
      const number = Math.floor((position + done) / pieceBytes)
      const from = position + done - number * pieceBytes
      const length = Math.min(pieceBytes - from, target.length - done)
      target.set(await readBlob(await this.#piece(number), from, length, this.name), done)
      done += length
    }
    throwIfAborted(signal)
  }

  async readMany(ranges: readonly ByteRange[], signal?: AbortSignal): Promise<void> {
    await Promise.all(ranges.map(({ position, target }) => this.read(position, target, signal)))
  }

  stream(position: number, length: number, signal?: AbortSignal): AsyncIterable<Uint8Array> {
    return streamPieces(this, position, length, signal)
  }

  async discard(): Promise<void> {
    await this.#cache.delete(this.#file)
  }

  async close(): Promise<void> {
    this.#pieces.clear()
  }

  #piece(number: number): Promise<Blob> {
    const known = this.#pieces.get(number)
    if (known !== undefined) return known
    const found = this.#find(number)
    this.#pieces.set(number, found)
    // A cache that failed once may answer the next time.
    found.catch(() => this.#pieces.delete(number))
    return found
  }

  /** What is left of a copy that lost a piece is removed: otherwise the next opening would take it for whole. */
  async #find(number: number): Promise<Blob> {
    const blob = await this.#cache.get(this.#file, pieceName(this.#manifest, number))
    if (typeof blob?.slice === 'function') return blob
    await this.discard().catch(() => {})
    throw changed(this.name, 'the cached copy was removed or replaced')
  }
}

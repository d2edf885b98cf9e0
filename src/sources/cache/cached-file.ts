import { throwIfAborted } from '../../base/abort.js'
import type { NewHasher } from '../../base/checksum.js'
import { sha256Hex } from '../../base/checksum.js'
import { PackvecError } from '../../base/errors.js'
import { named } from '../http/download.js'
import { type FileIdentity, sameFile } from '../http/identity.js'
import { shownUrl } from '../http/options.js'
import { statusOf } from '../http/request.js'
import { type Opened, type OpenHttpOptions, openHttp } from '../http/source.js'
import type { ByteSource } from '../source.js'
import {
  CACHE_PIECE_BYTES,
  type CacheOption,
  type Manifest,
  openCache,
  pieceName,
  readManifest,
  writeManifest,
} from './cache.js'
import { CachedSource } from './cached-source.js'
import type { PieceCache } from './piece-cache.js'

export interface CachedFileOptions extends OpenHttpOptions {
  readonly cache: CacheOption
  /** If the cache has no room: 'refuse' (default) is an error, 'network' reads the file over the network. */
  readonly onCacheFull: 'refuse' | 'network'
  readonly newHasher: NewHasher
}

/**
 * A file behind HTTP, read through a copy in a cache. A missing copy is made, an unfinished one is completed, an existing one is
 * checked by its validators and made anew if the file has changed. Without a network, a complete copy is used as it is.
 * @throws PackvecError those of `openHttp`, TOO_LARGE (no room), UNSUPPORTED (no such storage)
 */
export async function openCachedFile(url: URL, options: CachedFileOptions): Promise<ByteSource> {
  const cache = await openCache(options.cache)
  const plain = new URL(url)
  plain.hash = ''
  const file = sha256Hex(new TextEncoder().encode(plain.href), options.newHasher)
  return exclusive(file, options.signal, () => new CachedFile(url, cache, file, options).open())
}

/** Two tabs do not download the same file side by side; the second finds the copy of the first. */
async function exclusive<T>(file: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
  const locks = (globalThis.navigator as Navigator | undefined)?.locks
  if (locks === undefined) return work()
  try {
    return (await locks.request(`packvec/${file}`, signal === undefined ? {} : { signal }, work)) as T
  } catch (error) {
    throwIfAborted(signal)
    throw error
  }
}

/** Of the first look at a header. */
const HEAD_BYTES = 65_536

class CachedFile {
  readonly #url: URL
  readonly #cache: PieceCache
  readonly #file: string
  readonly #options: CachedFileOptions

  constructor(url: URL, cache: PieceCache, file: string, options: CachedFileOptions) {
    this.#url = url
    this.#cache = cache
    this.#file = file
    this.#options = options
  }

  async open(): Promise<ByteSource> {
    const kept = await readManifest(this.#cache, this.#file)
    const opened = await this.#look(kept)
    if (kept?.complete && (opened === 'unchanged' || opened === 'unreachable')) return this.#copy(kept)
    const { source } = opened as Exclude<Opened, 'unchanged'>
    const same = kept !== undefined && (await this.#isSame(kept, source))
    if (same && kept.complete) {
      await source.close()
      return this.#copy(kept)
    }
    try {
      await this.#judge(source)
      if (!same) await this.#cache.delete(this.#file)
      return await this.#download(source, same ? kept : newManifest(source.identity))
    } catch (cause) {
      if ((cause as Error).name !== 'QuotaExceededError') {
        await source.close()
        throw cause
      }
      // What came is of no use: the rest will not fit either.
      await this.#cache.delete(this.#file)
      if (this.#options.onCacheFull === 'network') return source
      await source.close()
      throw noRoom(shownUrl(this.#url), source.byteLength, cause)
    }
  }

  /** Asks the server for the file's state; with a complete copy at hand its silence is an answer too. */
  async #look(kept: Manifest | undefined): Promise<Opened | 'unreachable'> {
    if (!kept?.complete) return openHttp(this.#url, this.#options)
    // Asked once: who has a copy does not wait for a server that is away.
    const http = { ...this.#options.http, retries: 0 }
    const ifNoneMatch = isOwnOrigin(this.#url) ? kept.etag : undefined
    try {
      return await openHttp(this.#url, { ...this.#options, http, ifNoneMatch })
    } catch (error) {
      if (this.#options.signal?.aborted || !isUnreachable(error)) throw error
      return 'unreachable'
    }
  }

  /** A header that is longer than the first answer is read whole before anything is kept. */
  async #judge(source: ByteSource): Promise<void> {
    const { signal, judge } = this.#options
    const judgeNamed = named(source.name, judge)
    for (let length = HEAD_BYTES; judgeNamed !== undefined; length *= 8) {
      const head = new Uint8Array(Math.min(length, source.byteLength))
      await source.read(0, head, signal)
      if (judgeNamed(head, source.byteLength) !== undefined || head.length === source.byteLength) return
    }
  }

  async #isSame(kept: Manifest, source: ByteSource & { readonly identity: FileIdentity }): Promise<boolean> {
    if (!sameFile(kept, source.identity)) return false
    if (kept.etag !== undefined && source.identity.etag !== undefined) return true
    // Dates are as coarse as a second, and some servers send nothing. An index file has its own sum in its first bytes.
    const first = await this.#cache.get(this.#file, pieceName(kept, 0))
    if (first === undefined) return false
    const bytes = new Uint8Array(await first.slice(0, 8192).arrayBuffer())
    const now = new Uint8Array(bytes.length)
    await source.read(0, now, this.#options.signal)
    return bytes.every((byte, i) => byte === now[i])
  }

  async #download(source: ByteSource, manifest: Manifest): Promise<ByteSource> {
    const { signal, onProgress } = this.#options
    const { pieceBytes, byteLength } = manifest
    await writeManifest(this.#cache, this.#file, manifest)
    let number = await this.#firstMissing(manifest)
    let bytes = number * pieceBytes
    let parts: Uint8Array<ArrayBuffer>[] = []
    let held = 0
    const from = Math.min(bytes, byteLength)
    for await (const chunk of source.stream(from, byteLength - from, signal)) {
      for (let at = 0; at < chunk.length; ) {
        const part = chunk.slice(at, at + pieceBytes - held)
        parts.push(part as Uint8Array<ArrayBuffer>)
        held += part.length
        at += part.length
        bytes += part.length
        if (held < pieceBytes && bytes < byteLength) continue
        await this.#cache.put(this.#file, pieceName(manifest, number++), new Blob(parts))
        parts = []
        held = 0
      }
      onProgress?.(bytes, byteLength)
    }
    await source.close()
    const complete = { ...manifest, complete: true }
    await writeManifest(this.#cache, this.#file, complete)
    return this.#copy(complete)
  }

  async #firstMissing(manifest: Manifest): Promise<number> {
    const count = Math.ceil(manifest.byteLength / manifest.pieceBytes)
    for (let number = 0; number < count; number++) {
      const piece = await this.#cache.get(this.#file, pieceName(manifest, number))
      const expected = Math.min(manifest.pieceBytes, manifest.byteLength - number * manifest.pieceBytes)
      if (piece?.size !== expected) return number
    }
    return count
  }

  #copy(manifest: Manifest): CachedSource {
    return new CachedSource(shownUrl(this.#url), this.#cache, this.#file, manifest)
  }
}

function newManifest({ byteLength, etag, lastModified }: FileIdentity): Manifest {
  const version = `${Date.now().toString(36)}${Math.random().toString(36).slice(2, 8)}`
  return { byteLength, etag, lastModified, version, pieceBytes: CACHE_PIECE_BYTES, complete: false }
}

/** From another origin, `If-None-Match` would need the server's leave first; there the validators are compared here. */
function isOwnOrigin(url: URL): boolean {
  const here = (globalThis as { location?: Location }).location
  return here === undefined || here.origin === url.origin
}

/** No network, a server that is down or too slow; an answer such as 404 is none of these. */
function isUnreachable(error: unknown): boolean {
  if (!(error instanceof PackvecError)) return false
  return error.code === 'TIMEOUT' || (error.code === 'IO' && (statusOf(error) ?? 500) >= 500)
}

function noRoom(name: string, byteLength: number, cause: unknown): PackvecError {
  const message =
    `the cache has no room for the ${byteLength} bytes of ${name}: free some space, ask for more with ` +
    "navigator.storage.persist(), or pass onCacheFull: 'network' to search without a copy"
  return new PackvecError('TOO_LARGE', 'cache', message, { cause })
}

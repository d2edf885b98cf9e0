import { checkCount, checkOneOf, describe, fail } from '../check.js'
import type { NewHasher } from '../checksum.js'
import { PackvecError } from '../errors.js'
import { type IndexHeader, indexHeaderBytes, parseIndexHeader } from '../index-header.js'
import { BlobSource } from '../storage/blob-source.js'
import type { CacheOption } from '../storage/cache.js'
import { openCachedFile } from '../storage/cached-file.js'
import { checkHttpOptions, type HttpOptions } from '../storage/http-options.js'
import { openHttp } from '../storage/http-source.js'
import { MemorySource } from '../storage/memory-source.js'
import { abortError, type ByteSource } from '../storage/source.js'
import { StoredIndex } from '../stored-index.js'
import { BlockCache } from './block-cache.js'
import { explain } from './damage.js'
import { checkSameParts } from './same-parts.js'
import { bytesToLoad, openShard, type StoredShard } from './shard.js'

/** Where an index is: bytes, a blob or file, a URL, in Node a path; or a source of the caller's own. */
export type IndexSource = ArrayBuffer | Uint8Array | Blob | URL | string | ByteSource

/** How far opening an index is. */
export interface OpenProgress {
  /** 'download': the file is copied to the cache, or taken as a whole; 'load': codes come to memory. */
  readonly phase: 'download' | 'load'
  readonly bytes: number
  /** Undefined where the server does not say how long the file is. */
  readonly totalBytes: number | undefined
}

/** What comes to memory, what is kept, and how files behind URLs are asked for. */
export interface OpenOptions extends HttpOptions {
  /** 'coarse' (default): the codes of the first stage are in memory, the others stay where they are; 'all': all in memory. */
  readonly load?: 'coarse' | 'all'
  /**
   * Bytes of blocks that were read and checked and are kept for the next search. By default 8 MiB, the blocks of some 20
   * searches, where a block that is there saves a request; none for files in Node and memory, where the system keeps pages
   * itself: a search that repeats nothing was 0.3 ms slower with such a cache than without.
   */
  readonly cacheBytes?: number
  /** Keeps a copy of files behind URLs in the browser, for the next time and for the time without network. */
  readonly cache?: CacheOption
  /** Where the cache has no room: 'refuse' (default) is an error, 'network' searches without a copy. */
  readonly onCacheFull?: 'refuse' | 'network'
  /** Hears of every piece that has come. */
  readonly onProgress?: (progress: OpenProgress) => void
  readonly signal?: AbortSignal
}

/** What the host brings. */
export interface StorageHost {
  readonly newHasher: NewHasher
  /** Opens what is no URL; undefined where there are no files. */
  openPath?(path: string | URL): Promise<ByteSource>
}

/** More than the header of most indexes: one read. */
const HEAD_BYTES = 65_536
const CACHE_BYTES = 8 << 20

/** `openIndex` for a host. */
export async function openIndexOn(
  host: StorageHost,
  source: IndexSource | readonly IndexSource[],
  options: OpenOptions = {},
): Promise<StoredIndex> {
  const load = checkOneOf(options.load ?? 'coarse', ['coarse', 'all'], 'load')
  checkOneOf(options.onCacheFull ?? 'refuse', ['refuse', 'network'], 'onCacheFull')
  if (options.cacheBytes !== undefined) checkCount(options.cacheBytes, 'cacheBytes', 0)
  const { signal } = options
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    fail('INVALID_ARGUMENT', 'signal', 'an AbortSignal', describe(signal))
  }
  const list = Array.isArray(source) ? (source as readonly IndexSource[]) : [source as IndexSource]
  if (list.length === 0) fail('INVALID_ARGUMENT', 'sources', 'at least one', 'none')
  const opening = new Opening(host, options)
  return opening.run(list, load)
}

/** One call of `openIndex`: what it opened is closed again where it fails. */
class Opening {
  readonly #host: StorageHost
  readonly #options: OpenOptions
  readonly #opened: ByteSource[] = []
  /** Stops what is still being read once a part has failed. */
  readonly #stop = new AbortController()

  constructor(host: StorageHost, options: OpenOptions) {
    this.#host = host
    this.#options = options
  }

  async run(list: readonly IndexSource[], load: 'coarse' | 'all'): Promise<StoredIndex> {
    const { signal } = this.#options
    const abort = () => this.#stop.abort(signal?.reason)
    if (signal?.aborted) abort()
    signal?.addEventListener('abort', abort, { once: true })
    try {
      return await this.#open(list, load)
    } catch (error) {
      await Promise.all(this.#opened.map((source) => source.close().catch(() => {})))
      if (signal?.aborted) throw abortError(signal)
      throw error
    } finally {
      signal?.removeEventListener('abort', abort)
    }
  }

  async #open(list: readonly IndexSource[], load: 'coarse' | 'all'): Promise<StoredIndex> {
    const files = await this.#all(list.map((source) => this.#openFile(source)))
    const headers = files.map(({ header }) => header)
    checkSameParts(
      headers,
      files.map(({ source }) => source.name),
    )
    const rows = headers.reduce((sum, header) => sum + header.rows, 0)
    if (rows >= 2 ** 32)
      throw new PackvecError('TOO_LARGE', 'sources', `an index has fewer than 2^32 rows, got ${rows}`)
    const totalBytes = headers.reduce((sum, header) => sum + bytesToLoad(header, load), 0)
    let bytes = 0
    const onBytes = (more: number) => {
      bytes += more
      this.#options.onProgress?.({ phase: 'load', bytes: Math.min(bytes, totalBytes), totalBytes })
    }
    const local = files.every(({ source }) => source.local)
    const cache = new BlockCache(this.#options.cacheBytes ?? (local ? 0 : CACHE_BYTES))
    let cacheBase = 0
    const shards = files.map(({ source, header }): Promise<StoredShard> => {
      const { signal } = this.#stop
      const options = { load, cache, cacheBase, newHasher: this.#host.newHasher, signal, onBytes }
      // Blocks of any of its tensors: more numbers than it needs.
      cacheBase += Math.ceil(header.byteLength / 4096) + header.tensors.size
      return openShard(source, header, options).catch((fault) => explain(source, fault))
    })
    return new StoredIndex(await this.#all(shards), headers[0]!.stages)
  }

  /** All, or the first failure once the others have stopped. */
  async #all<T>(parts: readonly Promise<T>[]): Promise<T[]> {
    let failure: { readonly error: unknown } | undefined
    const settled = await Promise.all(
      parts.map((part) =>
        part.catch((error) => {
          failure ??= { error }
          this.#stop.abort(error)
          return undefined
        }),
      ),
    )
    if (failure !== undefined) throw failure.error
    return settled as T[]
  }

  async #openFile(input: IndexSource): Promise<{ source: ByteSource; header: IndexHeader }> {
    const source = await this.#openSource(input)
    this.#opened.push(source)
    try {
      return { source, header: await this.#readHeader(source) }
    } catch (fault) {
      return explain(source, fault)
    }
  }

  async #readHeader(source: ByteSource): Promise<IndexHeader> {
    const { signal } = this.#stop
    let head = new Uint8Array(Math.min(HEAD_BYTES, source.byteLength))
    await source.read(0, head, signal)
    const length = Math.min(indexHeaderBytes(head), source.byteLength)
    if (length > head.length) {
      head = new Uint8Array(length)
      await source.read(0, head, signal)
    }
    return parseIndexHeader(head, source.byteLength, this.#host.newHasher)
  }

  async #openSource(input: IndexSource): Promise<ByteSource> {
    if (input instanceof Uint8Array || input instanceof ArrayBuffer) return new MemorySource(input)
    if (typeof Blob === 'function' && input instanceof Blob) return new BlobSource(input)
    if (typeof input === 'string' || input instanceof URL) return this.#openLocation(input)
    const own = input as ByteSource | null
    if (typeof own?.readMany === 'function' && typeof own.byteLength === 'number') return own
    return fail('INVALID_ARGUMENT', 'source', EXPECTED, describe(input))
  }

  async #openLocation(location: string | URL): Promise<ByteSource> {
    const url = this.#urlOf(location)
    if (url === undefined) return this.#host.openPath!(location)
    const { cache, onCacheFull = 'refuse', onProgress } = this.#options
    const options = {
      http: checkHttpOptions(this.#options),
      signal: this.#stop.signal,
      onProgress: (bytes: number, totalBytes: number | undefined) =>
        onProgress?.({ phase: 'download', bytes, totalBytes }),
    }
    if (cache !== undefined) {
      return openCachedFile(url, { ...options, cache, onCacheFull, newHasher: this.#host.newHasher })
    }
    const opened = await openHttp(url, options)
    if (opened === 'unchanged') throw new Error('unchanged without a condition')
    return opened.source
  }

  /** The URL that is fetched; undefined for a file. */
  #urlOf(location: string | URL): URL | undefined {
    const text = String(location)
    if (/^(https?|blob|data):/i.test(text)) return new URL(text)
    if (this.#host.openPath !== undefined) return undefined
    const base = (globalThis as { location?: Location }).location?.href
    const url = URL.canParse(text, base) ? new URL(text, base) : undefined
    if (url !== undefined && url.protocol !== 'file:') return url
    return fail('INVALID_ARGUMENT', 'source', `${EXPECTED}; this host has no files`, describe(text))
  }
}

const EXPECTED = 'bytes, a Blob or File, a URL, a path (in Node) or a ByteSource'

import { abortError, throwIfAborted } from '../base/abort.js'
import { PackvecError } from '../base/errors.js'
import { onAbort } from '../base/on-abort.js'
import { readIndexHeader } from '../index-file/check-tensor.js'
import type { IndexHeader } from '../index-file/header.js'
import { tooLarge } from '../sources/http/download.js'
import type { ByteSource } from '../sources/source.js'
import { BlockCache } from './block-cache.js'
import { explain } from './damage.js'
import { Deadline } from './deadline.js'
import { checkOpenOptions, checkPins, type IndexSource, type OpenOptions, type StorageHost } from './open-options.js'
import { openSource, sourcesOf } from './open-source.js'
import { checkSameParts } from './same-parts.js'
import { bytesToLoad, openShard, type StoredShard } from './shard.js'
import { StoredIndex } from './stored-index.js'

const CACHE_BYTES = 8 << 20

/** `openIndex` for a host. */
export async function openIndexOn(
  host: StorageHost,
  source: IndexSource | readonly IndexSource[],
  given?: OpenOptions,
): Promise<StoredIndex> {
  const options = checkOpenOptions(given)
  const list = sourcesOf(source)
  const opening = new Opening(host, options)
  return opening.run(list, checkPins(options.sha256, list.length))
}

interface OpenedFile {
  readonly source: ByteSource
  readonly header: IndexHeader
}

/** One call of `openIndex`: if it fails, it closes what it opened. */
class Opening {
  readonly #host: StorageHost
  readonly #options: OpenOptions
  readonly #load: 'coarse' | 'all'
  readonly #opened: ByteSource[] = []
  /** Stops what is still being read once a part has failed. */
  readonly #stop = new AbortController()

  constructor(host: StorageHost, options: OpenOptions) {
    this.#host = host
    this.#options = options
    this.#load = options.load ?? 'coarse'
  }

  async run(list: readonly IndexSource[], pins: readonly (string | undefined)[]): Promise<StoredIndex> {
    const deadline = new Deadline(this.#options, 'opening the index')
    // A source of the caller's own may not heed its signal.
    const over = new Promise<never>((_, reject) => {
      onAbort(deadline.signal, () => {
        this.#stop.abort(deadline.signal.reason)
        reject(abortError(deadline.signal))
      })
    })
    try {
      return await Promise.race([this.#open(list, pins), over])
    } catch (error) {
      this.#stop.abort(error)
      const closed = Promise.all(this.#opened.map((source) => source.close().catch(() => {})))
      throwIfAborted(deadline.signal)
      await closed
      throw error
    } finally {
      deadline.clear()
    }
  }

  async #open(list: readonly IndexSource[], pins: readonly (string | undefined)[]): Promise<StoredIndex> {
    const files = await this.#all(list.map((source, i) => this.#openFile(source, pins[i])))
    const headers = files.map(({ header }) => header)
    checkSameParts(
      headers,
      files.map(({ source }) => source.name),
    )
    const rows = headers.reduce((sum, header) => sum + header.rows, 0)
    if (rows >= 2 ** 32)
      throw new PackvecError('TOO_LARGE', 'sources', `an index has fewer than 2^32 rows, got ${rows}`)
    const totalBytes = headers.reduce((sum, header) => sum + bytesToLoad(header, this.#load), 0)
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
      const options = { load: this.#load, cache, cacheBase, newHasher: this.#host.newHasher, signal, onBytes }
      // Blocks of any of its tensors: more numbers than it needs.
      cacheBase += Math.ceil(header.byteLength / 4096) + header.tensors.size
      return openShard(source, header, options).catch((fault) => explain(source, fault))
    })
    return StoredIndex.ofShards(await this.#all(shards), headers[0]!.stages)
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

  async #openFile(input: IndexSource, pin: string | undefined): Promise<OpenedFile> {
    const { signal } = this.#stop
    const { source, maxBytes } = await openSource(this.#host, input, this.#options, signal)
    this.#opened.push(source)
    if (signal.aborted) {
      // Nobody waits for it any more.
      await source.close()
      throw abortError(signal)
    }
    try {
      const read = (target: Uint8Array) => source.read(0, target, signal)
      const header = await readIndexHeader(source.byteLength, read, this.#host.newHasher)
      checkPin(header, pin)
      const bytes = bytesToLoad(header, this.#load)
      if (maxBytes !== undefined && bytes > maxBytes) throw tooLarge(source.name, bytes, maxBytes)
      return { source, header }
    } catch (fault) {
      return explain(source, fault)
    }
  }
}

/** @throws PackvecError INVALID_FILE if the file is not the pinned one */
function checkPin({ metadata }: IndexHeader, pin: string | undefined): void {
  if (pin === undefined || metadata['sha256'] === pin) return
  const message = `the file is not the pinned one: its digest is ${metadata['sha256']}, but the option sha256 is ${pin}`
  throw new PackvecError('INVALID_FILE', 'sha256', message)
}

import { checkCount, checkFunction, checkOneOf, describe, fail, reading } from '../base/check.js'
import type { NewHasher } from '../base/checksum.js'
import { checkOptions, type OptionChecks } from '../base/options.js'
import type { CacheOption } from '../sources/cache/cache.js'
import { HTTP_CHECKS, type HttpOptions } from '../sources/http/options.js'
import type { ByteSource } from '../sources/source.js'
import { DEADLINE_CHECKS } from './deadline.js'

/** Where an index is: bytes, a blob or file, a URL, in Node a path; or a source of the caller's own. */
export type IndexSource = ArrayBuffer | Uint8Array | Blob | URL | string | ByteSource

/** How far opening an index is. */
export interface OpenProgress {
  /** 'download': the file is copied to the cache, or taken as a whole; 'load': codes come to memory. */
  readonly phase: 'download' | 'load'
  readonly bytes: number
  /** Undefined if the server does not say how long the file is. */
  readonly totalBytes: number | undefined
}

/** What to load into memory, what to cache, and how to request files behind URLs. */
export interface OpenOptions extends HttpOptions {
  /** 'coarse' (default): the codes of the first stage are in memory, the others stay in the file; 'all': all are in memory. */
  readonly load?: 'coarse' | 'all'
  /**
   * The digest of the file that is meant, of each file where there are several: 64 hex digits, as `index.sha256` and
   * `packvec inspect` give them. It is the SHA-256 of the header, which has those of all the rest: no other file opens, and
   * no other byte is searched.
   */
  readonly sha256?: string | readonly string[]
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
  /** Milliseconds that opening may take; no limit by default. */
  readonly timeout?: number
}

/** What the host brings. */
export interface StorageHost {
  readonly newHasher: NewHasher
  /** Opens a path; undefined on hosts without files. */
  openPath?(path: string | URL): Promise<ByteSource>
}

const OPEN_CHECKS: OptionChecks<OpenOptions> = {
  ...HTTP_CHECKS,
  load: (value, name) => checkOneOf(value, ['coarse', 'all'], name),
  sha256: true,
  cacheBytes: (value, name) => checkCount(value, name, 0),
  cache: true,
  onCacheFull: (value, name) => checkOneOf(value, ['refuse', 'network'], name),
  onProgress: checkFunction,
  ...DEADLINE_CHECKS,
}

/** @throws PackvecError INVALID_ARGUMENT */
export function checkOpenOptions(options: OpenOptions | undefined): OpenOptions {
  return checkOptions(options, OPEN_CHECKS)
}

/** The digest that each of `count` sources must have. @throws PackvecError INVALID_ARGUMENT */
export function checkPins(sha256: OpenOptions['sha256'], count: number): readonly (string | undefined)[] {
  if (sha256 === undefined) return new Array(count).fill(undefined)
  return reading('sha256', () => pinsOf(sha256, count))
}

function pinsOf(sha256: unknown, count: number): readonly string[] {
  const pins: readonly unknown[] = Array.isArray(sha256) ? sha256 : [sha256]
  for (const pin of pins) {
    if (typeof pin === 'string' && /^[\da-f]{64}$/i.test(pin)) continue
    const got = typeof pin === 'string' ? `${describe(pin)} (${pin.length} characters)` : describe(pin)
    fail('INVALID_ARGUMENT', 'sha256', '64 hex digits per source', got)
  }
  if (pins.length !== count) {
    fail('INVALID_ARGUMENT', 'sha256', `one digest per source, ${count} in all`, `${pins.length}`)
  }
  return pins.map((pin) => (pin as string).toLowerCase())
}

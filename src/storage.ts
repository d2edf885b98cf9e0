/**
 * An index as one file: written, read, and searched where it is.
 *
 * @module packvec/storage
 */

import { describe, fail, reading } from './check.js'
import type { NewHasher } from './checksum.js'
import { readIndex, writeIndex } from './index-file.js'
import { asFileError } from './index-header.js'
import { LoadedRows } from './loaded-rows.js'
import { QuantizedIndex } from './quantized-index.js'
import { portableSha256 } from './storage/sha256.js'
import { openIndexOn } from './stored/open-index.js'
import type { IndexSource, OpenOptions } from './stored/open-options.js'
import type { StoredIndex } from './stored-index.js'

export type { Id } from './ids.js'
export type { CacheOption } from './storage/cache.js'
export type { HttpOptions } from './storage/http-options.js'
export type { PieceCache } from './storage/piece-cache.js'
export { fromReader, type RangeReader, type ReaderOptions } from './storage/reader-source.js'
export type { ByteRange, ByteSource } from './storage/source.js'
export type { StoredFilter } from './stored/filter-rows.js'
export type { StoredResult } from './stored/name-results.js'
export type { IndexSource, OpenOptions, OpenProgress } from './stored/open-options.js'
export type { StoredIndex, StoredSearchOptions } from './stored-index.js'

/**
 * Opens an index where it is: bytes, a Blob or File, a URL, in Node a path too. The codes of the first stage come to memory,
 * those that rescore are read for the candidates only, and every byte is checked. Several sources with the same ranges are
 * searched as one index, their rows in the order of the sources.
 * @throws (rejects with) PackvecError INVALID_FILE, naming the tensor where one is damaged; UNSUPPORTED (a later version; no
 * ranges, no storage where they are asked for), IO, TIMEOUT, CHANGED, ABORTED, TOO_LARGE (no memory, no room in the cache),
 * INVALID_ARGUMENT
 */
export function openIndex(source: IndexSource | readonly IndexSource[], options?: OpenOptions): Promise<StoredIndex> {
  return openIndexOn({ newHasher: portableSha256 }, source, options)
}

/**
 * The whole index as one safetensors file; `docs/format.md` says what is in it. Ids, deletions and metadata that the index was
 * read with are written again.
 * @throws PackvecError DISPOSED
 */
export function encodeIndex(index: QuantizedIndex): Uint8Array<ArrayBuffer> {
  return encodeIndexWith(index, portableSha256)
}

/**
 * Reads an index that `encodeIndex` or the builder wrote, into memory. Its searches give the results of `openIndex`: by the ids
 * of the file, without deleted rows.
 * @throws PackvecError INVALID_FILE, naming the tensor where one is damaged; UNSUPPORTED for a later version
 */
export function decodeIndex(bytes: Uint8Array | ArrayBuffer): QuantizedIndex {
  return decodeIndexWith(bytes, portableSha256)
}

/** @internal `encodeIndex` with a SHA-256 of the caller's. */
export function encodeIndexWith(index: QuantizedIndex, newHasher: NewHasher): Uint8Array<ArrayBuffer> {
  const parts = reading('index', () => index?.parts)
  if (parts?.store === undefined) fail('INVALID_ARGUMENT', 'index', 'a QuantizedIndex', describe(index))
  return writeIndex(parts, newHasher)
}

/** @internal `decodeIndex` with a SHA-256 of the caller's. */
export function decodeIndexWith(bytes: Uint8Array | ArrayBuffer, newHasher: NewHasher): QuantizedIndex {
  const { stages, transform, rows, slots, codes, records } = readIndex(bytes, newHasher)
  const extras = asFileError(() => new LoadedRows(records, rows))
  return QuantizedIndex.fromCodes({ stages, transform, slots, extras }, codes, rows)
}

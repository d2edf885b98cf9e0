import { decodeIndexWith, encodeIndexWith } from '../index-file/encode-index.js'
import type { QuantizedIndex } from '../search/quantized-index.js'
import { portableSha256 } from '../sources/sha256.js'
import { openIndexOn } from './open-index.js'
import type { IndexSource, OpenOptions } from './open-options.js'
import type { StoredIndex } from './stored-index.js'

// What runs in every host: SHA-256 in plain JavaScript, and no paths.

/**
 * Opens an index in place: bytes, a Blob or File, a URL, in Node a path too. The codes of the first stage come to memory; the codes
 * that rescore are read for the candidates only. Every byte is checked. Several sources with the same ranges are
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

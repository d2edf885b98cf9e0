import type { NewHasher } from './checksum.js'
import { PackvecError } from './errors.js'
import { type IndexContents, readIndex, writeIndex } from './index-file.js'
import { QuantizedIndex } from './quantized-index.js'
import { portableSha256 } from './storage/sha256.js'

/**
 * The whole index as one safetensors file; `docs/format.md` says what is in it. Ids and metadata that the index was read with
 * are written again.
 * @throws PackvecError INVALID_ARGUMENT where rows were added to an index that was read with ids
 */
export function encodeIndex(index: QuantizedIndex): Uint8Array<ArrayBuffer> {
  return encodeIndexWith(index, portableSha256)
}

/**
 * Reads an index that `encodeIndex` or the builder wrote, into memory. Results of its searches name rows by their numbers,
 * also where the file has ids.
 * @throws PackvecError INVALID_FILE, naming the tensor where one is damaged; UNSUPPORTED for a later version, or where rows
 * are deleted
 */
export function decodeIndex(bytes: Uint8Array | ArrayBuffer): QuantizedIndex {
  return decodeIndexWith(bytes, portableSha256)
}

/** @internal `encodeIndex` with a SHA-256 of the caller's. */
export function encodeIndexWith(index: QuantizedIndex, newHasher: NewHasher): Uint8Array<ArrayBuffer> {
  return writeIndex(index.parts, newHasher)
}

/** @internal `decodeIndex` with a SHA-256 of the caller's. */
export function decodeIndexWith(bytes: Uint8Array | ArrayBuffer, newHasher: NewHasher): QuantizedIndex {
  const { stages, transform, rows, slots, codes, extras } = refuseDeleted(readIndex(bytes, newHasher))
  return QuantizedIndex.fromCodes({ stages, transform, slots, extras }, codes, rows)
}

/** @internal An index in memory would find what was deleted. */
export function refuseDeleted(contents: IndexContents): IndexContents {
  if (contents.deleted === undefined) return contents
  const message = 'the index has deleted rows: compact it (compactIndex), or search it with openIndex'
  throw new PackvecError('UNSUPPORTED', 'bytes', message)
}

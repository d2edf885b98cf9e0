import { describe, fail, reading } from '../base/check.js'
import type { NewHasher } from '../base/checksum.js'
import { LoadedRows } from '../search/loaded-rows.js'
import { QuantizedIndex } from '../search/quantized-index.js'
import { asFileError } from './header.js'
import { readIndex, writeIndex } from './index-file.js'

/** A whole index as one file. @throws PackvecError INVALID_ARGUMENT, DISPOSED */
export function encodeIndexWith(index: QuantizedIndex, newHasher: NewHasher): Uint8Array<ArrayBuffer> {
  const parts = reading('index', () => index?.parts)
  if (parts?.store === undefined) fail('INVALID_ARGUMENT', 'index', 'a QuantizedIndex', describe(index))
  return writeIndex(parts, newHasher)
}

/** An index in memory from its file. @throws PackvecError INVALID_FILE, UNSUPPORTED */
export function decodeIndexWith(bytes: Uint8Array | ArrayBuffer, newHasher: NewHasher): QuantizedIndex {
  const { stages, transform, rows, columns, codes, records } = readIndex(bytes, newHasher)
  const extras = asFileError(() => new LoadedRows(records, rows))
  return QuantizedIndex.fromCodes({ stages, transform, columns, extras }, codes, rows)
}

import { type Codebook, openDecoder, rowScale, type ScaleType, setCodebook } from './codebook.js'
import { copyStrided, type Rounding, scratchEncoder } from './encoder.js'
import type { RowSource } from './matrix.js'
import { codeRowBytes, type Precision, paddedRowBytes } from './precision.js'

export interface EncodeOptions {
  readonly book?: Codebook | undefined
  readonly rounding?: Rounding
  readonly scale?: ScaleType | undefined
}

/** Codes in the layout that users and files see: rows of `codeRowBytes`, one behind the other. */
export interface EncodedRows {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly scales: Float32Array<ArrayBuffer> | undefined
}

/** Encodes all rows through the shared workspace. @throws PackvecError NOT_FINITE */
export function encodeAll(
  source: RowSource,
  precision: Precision,
  { book, rounding = 'floor', scale }: EncodeOptions,
  argument: string,
): EncodedRows {
  const rowBytes = codeRowBytes(precision, source.dims)
  const bytes = new Uint8Array(source.rows * rowBytes)
  const scales = scale === undefined ? undefined : new Float32Array(source.rows)
  if (source.rows === 0) return { bytes, scales }
  const { encoder, workspace, codesPtr } = scratchEncoder(source.dims)
  const padded = paddedRowBytes(precision, source.dims)
  setCodebook(encoder, precision, book)
  const decode = openDecoder(precision, book)
  const decoded = new Float32Array(source.dims)
  encoder.forEachChunk(source, argument, (first, count) => {
    encoder.encode(precision, 0, count, codesPtr, rounding)
    const chunk = new Uint8Array(workspace.buffer, codesPtr, count * padded)
    copyStrided(chunk, padded, bytes.subarray(first * rowBytes), rowBytes, count, rowBytes)
    if (scales === undefined) return
    for (let i = 0; i < count; i++) {
      decode(chunk, i * padded, decoded)
      scales[first + i] = rowScale(encoder.stagedRow(i), decoded, scale!)
    }
  })
  return { bytes, scales }
}

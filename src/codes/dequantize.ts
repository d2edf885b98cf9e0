import { checkOptions, type OptionChecks } from '../base/options.js'
import { givenBook, requireBook } from './choose-book.js'
import { BOOK_CHECKS, type BookOptions } from './code-options.js'
import { type CodesInput, ownPrecision, type QuantizedEmbeddings, toCodes } from './codes.js'
import type { Precision } from './precision.js'
import { checkPrecision, codeOf } from './registry.js'

/** What codes were made with, where they do not carry it. */
export interface DequantizeOptions extends BookOptions {
  /** Precision of codes that came as { data, dims }. */
  readonly precision?: Precision
  /** Dimensions of the embeddings behind packed codes that came as { data, dims }: whole bytes by default. */
  readonly dims?: number
}

const DEQUANTIZE_CHECKS: OptionChecks<DequantizeOptions> = { ...BOOK_CHECKS, precision: true, dims: true }

/**
 * Decodes rows of codes to float32, rows x dims: `int8` and `uint8` to the lower edge of their bucket (code · step + min, as
 * sentence-transformers rescores), 2- and 4-bit codes to their level, bits to +1 and -1, `float32` to a copy. Rows with a
 * scale are multiplied by it.
 * @throws PackvecError CALIBRATION_REQUIRED, DIMS_MISMATCH, WRONG_WIDTH
 */
export function dequantizeEmbeddings(codes: CodesInput, given?: DequantizeOptions): QuantizedEmbeddings<'float32'> {
  const options = checkOptions(given, DEQUANTIZE_CHECKS)
  const precision = checkPrecision(options.precision ?? ownPrecision(codes))
  const { bytes, rows, dims, book: carried, scales } = toCodes(codes, precision, 'codes', options.dims)
  const data = new Float32Array(rows * dims)
  const code = codeOf(precision)
  const book = requireBook(givenBook(options, precision, dims) ?? carried, precision, dims)
  const decode = code.openDecoder(book)
  const rowBytes = code.rowBytes(dims, book)
  for (let row = 0; row < rows; row++) {
    const target = data.subarray(row * dims, (row + 1) * dims)
    decode(bytes, row * rowBytes, target)
    // Adding 0 makes -0 into 0, which a row of zeros is then made of.
    if (scales !== undefined) for (let d = 0; d < dims; d++) target[d] = target[d]! * scales[row]! + 0
  }
  return { data, rows, dims, rowBytes: 4 * dims, precision: 'float32' }
}

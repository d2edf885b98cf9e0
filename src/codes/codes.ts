import { checkCount, describe, fail, reading } from '../base/check.js'
import { PackvecError } from '../base/errors.js'
import { MAX_DIMS } from '../base/max-dims.js'
import { arrayType, isTensorLike, type TensorLike, tensorShape } from '../rows/matrix.js'
import type { Codebook } from './code.js'
import type { Levels } from './levels.js'
import type { CodeArrays, Precision } from './precision.js'
import type { Calibration } from './ranges.js'
import { codeOf } from './registry.js'

/** Rows of codes as sentence-transformers lays them out: one row behind the other, no padding but the tail bits. */
export interface QuantizedEmbeddings<P extends Precision = Precision> {
  readonly data: CodeArrays[P]
  readonly rows: number
  /** Dimensions of the embeddings, not of the codes: 8 a byte in `binary` and `ubinary`, 4 in 2-bit codes, 2 in int4. */
  readonly dims: number
  /** Bytes from one row to the next. */
  readonly rowBytes: number
  readonly precision: P
  /** The ranges of `int8` and `uint8` codes. */
  readonly calibration?: Calibration
  /** The levels of `ternary`, `quaternary` and `int4` codes. */
  readonly levels?: Levels
  /** What gives codes of other families their meaning. */
  readonly codebook?: Codebook
  /** A factor for each row, where `scale` was asked for. */
  readonly scales?: Float32Array
}

/** Codes from elsewhere, such as a .npy file: `data` is Int8Array or Uint8Array, `dims` [rows, columns]. */
export type CodesInput = QuantizedEmbeddings | TensorLike

/** What a caller passed as codes, as plain bytes. */
export interface CodeRows {
  readonly bytes: Uint8Array
  readonly rows: number
  readonly dims: number
  readonly precision: Precision
  readonly single: boolean
  readonly book: Codebook | undefined
  readonly scales: Float32Array | undefined
}

/** Gives bytes their element type. */
export function codeArray<P extends Precision>(precision: P, bytes: Uint8Array<ArrayBuffer>): CodeArrays[P] {
  const { buffer, byteOffset, byteLength } = bytes
  const { array } = codeOf(precision)
  if (array === 'Float32Array') return new Float32Array(buffer, byteOffset, byteLength / 4) as CodeArrays[P]
  return (array === 'Uint8Array' ? bytes : new Int8Array(buffer, byteOffset, byteLength)) as CodeArrays[P]
}

/** The precision that codes say they are of; undefined for anything else. */
export function ownPrecision(input: unknown): unknown {
  return reading('codes', () => (isTensorLike(input) && 'precision' in input ? input.precision : undefined))
}

/** Whether the input is made of 8-bit integers, which is how codes are told from floats. */
export function isCodes(input: unknown): input is CodesInput {
  return reading('codes', () => {
    if (isTensorLike(input)) return isBytes(input.data)
    return isBytes(input) || (Array.isArray(input) && isBytes(input[0]))
  })
}

/**
 * Reads codes of one precision.
 * @param dims dimensions of the embeddings where they are known from elsewhere; packed codes alone tell them to a whole byte
 * @throws PackvecError WRONG_WIDTH, INVALID_ARGUMENT
 */
export function toCodes(input: CodesInput, precision: Precision, argument: string, dims?: number): CodeRows {
  return reading(argument, () => readCodes(input, precision, argument, dims))
}

function readCodes(input: CodesInput, precision: Precision, argument: string, dims: number | undefined): CodeRows {
  if (!isTensorLike(input)) {
    fail('INVALID_ARGUMENT', argument, 'codes, or { data, dims: [rows, columns] }', describe(input))
  }
  if ('precision' in input && 'rowBytes' in input) return checkQuantized(input, precision, argument)
  const bytes = checkElements(input.data, precision, argument)
  const shape = tensorShape(input, argument)
  const known = dims === undefined ? shape.dims * codeOf(precision).dimsAnElement : checkCount(dims, 'dims')
  checkDims(known, argument)
  checkWidth(shape.dims * (input.data as Uint8Array).BYTES_PER_ELEMENT, precision, known, undefined, argument)
  return { bytes, rows: shape.rows, dims: known, precision, single: shape.single, book: undefined, scales: undefined }
}

function checkQuantized(codes: QuantizedEmbeddings, precision: Precision, argument: string): CodeRows {
  const { rows, dims, rowBytes, scales } = codes
  checkCount(rows, `${argument}.rows`, 0)
  // Without rows nobody need have said how wide they are.
  checkDims(checkCount(dims, `${argument}.dims`, rows === 0 ? 0 : 1), argument)
  if (codes.precision !== precision) {
    fail('INVALID_ARGUMENT', argument, `made of ${precision} codes`, describe(codes.precision))
  }
  const bytes = checkElements(codes.data, precision, argument)
  const book = bookOf(codes)
  checkWidth(rowBytes, precision, dims, book, argument)
  if (bytes.length !== rows * rowBytes) {
    fail(
      'WRONG_WIDTH',
      `${argument}.data`,
      `${rows * rowBytes} bytes long (${rows} rows of ${rowBytes})`,
      `${bytes.length}`,
    )
  }
  if (scales !== undefined) checkScales(scales, rows, `${argument}.scales`)
  return { bytes, rows, dims, precision, single: false, book, scales }
}

function checkScales(scales: Float32Array, rows: number, argument: string): void {
  if (arrayType(scales) !== 'Float32Array') fail('INVALID_ARGUMENT', argument, 'a Float32Array', describe(scales))
  if (scales.length !== rows) fail('WRONG_WIDTH', argument, `${rows} values long, one per row`, `${scales.length}`)
  const wrong = scales.findIndex((scale) => !Number.isFinite(scale))
  if (wrong >= 0) fail('NOT_FINITE', argument, 'finite', `${scales[wrong]} at row ${wrong}`)
}

function checkDims(dims: number, argument: string): void {
  if (dims > MAX_DIMS) fail('TOO_LARGE', `${argument}.dims`, `at most ${MAX_DIMS}`, String(dims))
}

/** The codebook that codes carry. */
export function bookOf(codes: QuantizedEmbeddings): Codebook | undefined {
  const { books } = codeOf(codes.precision)
  return books && codes[books.property]
}

function checkWidth(
  rowBytes: number,
  precision: Precision,
  dims: number,
  book: Codebook | undefined,
  argument: string,
): void {
  const expected = codeOf(precision).rowBytes(dims, book)
  if (rowBytes === expected) return
  throw new PackvecError(
    'WRONG_WIDTH',
    argument,
    `${argument} has rows of ${rowBytes} bytes, ${precision} codes of ${dims} dimensions have ${expected}`,
  )
}

function checkElements(data: ArrayLike<unknown>, precision: Precision, argument: string): Uint8Array {
  const expected = codeOf(precision).array
  if (arrayType(data) !== expected) {
    fail('INVALID_ARGUMENT', `${argument}.data`, `${expected} for ${precision}`, describe(data))
  }
  const { buffer, byteOffset, byteLength } = data as Uint8Array
  return new Uint8Array(buffer, byteOffset, byteLength)
}

function isBytes(value: unknown): boolean {
  const type = arrayType(value)
  return type === 'Int8Array' || type === 'Uint8Array'
}

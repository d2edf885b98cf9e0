import { checkArray, checkOneOf, checkSameDims } from '../base/check.js'
import { checkOptions, type OptionChecks } from '../base/options.js'
import { type Embeddings, evenSample, isMatrixList, type Matrix, type RowSource, toRows } from '../rows/matrix.js'
import { chooseBook } from './choose-book.js'
import type { Codebook } from './code.js'
import { CODE_CHECKS, type CodeOptions, checkScale, sampleOf } from './code-options.js'
import { codeArray, type QuantizedEmbeddings } from './codes.js'
import { encodeAll } from './encode.js'
import type { Rounding } from './encoder.js'
import type { Precision } from './precision.js'
import { checkPrecision, codeOf } from './registry.js'
import { lookRows, warnOfRows } from './suitability.js'

/** What ranges and levels are taken from, and what the embeddings pass through first. */
export interface QuantizeOptions extends CodeOptions {
  /**
   * 'floor' gives the codes of sentence-transformers 6, 'truncate' those of its versions up to 5.6, which cut int8 towards
   * zero: trunc((x - min) / step - 128), saturating.
   */
  readonly rounding?: Rounding
  /** Width of a row, where `embeddings` is a flat array of several rows. */
  readonly dims?: number
}

const QUANTIZE_CHECKS: OptionChecks<QuantizeOptions> = { ...CODE_CHECKS, rounding: true, dims: true }

/**
 * Quantizes float embeddings (rows x dims), bit for bit as sentence-transformers' `quantize_embeddings` does: `float32`
 * copies, `int8` and `uint8` put each dimension in one of 256 buckets between its minimum and maximum, `binary` and
 * `ubinary` keep x > 0 as one bit, eight to a byte, first dimension in the top bit. `ternary`, `quaternary` and `int4` are
 * packvec's own (see `Levels`): 2 or 4 bits a dimension, first dimension in the top bits. A list of matrices gives a list of
 * codes that share one calibration.
 * @throws PackvecError NOT_FINITE, RAGGED_ROWS, CALIBRATION_REQUIRED (int8, uint8 of a single row without ranges), ...
 */
export function quantizeEmbeddings<P extends Precision>(
  embeddings: Embeddings,
  precision: P,
  options?: QuantizeOptions,
): QuantizedEmbeddings<P>
export function quantizeEmbeddings<P extends Precision>(
  matrices: readonly Matrix[],
  precision: P,
  options?: QuantizeOptions,
): QuantizedEmbeddings<P>[]
export function quantizeEmbeddings<P extends Precision>(
  embeddings: Embeddings | readonly Matrix[],
  precision: P,
  given?: QuantizeOptions,
): QuantizedEmbeddings<P> | QuantizedEmbeddings<P>[] {
  checkPrecision(precision)
  const options = checkOptions(given, QUANTIZE_CHECKS)
  const rounding = checkOneOf(options.rounding ?? 'floor', ['floor', 'truncate'], 'rounding')
  const scale = checkScale(options.scale, precision)
  const code = codeOf(precision)
  const quantize = (source: RowSource, argument: string, book: Codebook | undefined): QuantizedEmbeddings<P> => {
    if (book && source.dims !== 0) checkSameDims(argument, source.dims, book.dims, 'the codebook')
    const dims = source.dims || (book?.dims ?? 0)
    const { bytes, scales } = encodeAll(source, { precision, book, scale }, argument, rounding)
    return {
      data: codeArray(precision, bytes),
      rows: source.rows,
      dims,
      rowBytes: code.rowBytes(dims, book),
      precision,
      ...(book ? { [code.books!.property]: book } : {}),
      ...(scales ? { scales } : {}),
    }
  }
  if (!isMatrixList(embeddings)) {
    const source = toRows(embeddings, 'embeddings', options.dims)
    const book = chooseBook([source], sampleOf(options, source.dims), precision, options)
    look(source, precision, book, options)
    return quantize(source, 'embeddings', book)
  }
  const sources = checkArray(embeddings, 'embeddings').map((matrix, i) => toRows(matrix, `embeddings[${i}]`))
  for (const [i, source] of sources.entries()) {
    checkSameDims(`embeddings[${i}]`, source.dims, sources[0]!.dims, 'embeddings[0]')
  }
  const book = chooseBook(sources, sampleOf(options, sources[0]!.dims), precision, options)
  const longest = sources.reduce((most, source) => (source.rows > most.rows ? source : most))
  look(longest, precision, book, options)
  return sources.map((source, i) => quantize(source, `embeddings[${i}]`, book))
}

/** Tells of rows that do not suit their codes. */
function look(source: RowSource, precision: Precision, book: Codebook | undefined, options: QuantizeOptions): void {
  const { calibrationEmbeddings, percentiles, onWarning } = options
  const { bits, books } = codeOf(precision)
  const isOwn = books?.isWidened === true && options[books.option] === undefined
  const isRanged = isOwn && calibrationEmbeddings === undefined && percentiles === undefined
  const suited = {
    bits: bits === 1 ? precision : undefined,
    ranged: isRanged && book !== undefined ? { precision, book } : undefined,
    rows: source.rows,
    hint: 'Quantize transformEmbeddings(embeddings, { center: true }), which subtracts the mean',
  }
  warnOfRows(evenSample(source, lookRows(source.rows)), suited, onWarning)
}

import { checkArray, checkFunction, checkOneOf, checkSameDims, describe, fail, isInstance } from '../base/check.js'
import { PackvecError } from '../base/errors.js'
import { checkOptions, type OptionChecks } from '../base/options.js'
import { type Embeddings, evenSample, isMatrixList, type Matrix, type RowSource, toRows } from '../rows/matrix.js'
import { Calibration, type RangesInput } from './calibration.js'
import { type Codebook, openDecoder, type ScaleType } from './codebook.js'
import { type CodesInput, codeArray, ownPrecision, type QuantizedEmbeddings, toCodes } from './codes.js'
import { encodeAll } from './encode.js'
import type { Rounding } from './encoder.js'
import { checkLevels, isLevelPrecision, Levels } from './levels.js'
import { checkPrecision, codeRowBytes, type Precision, precisionKind } from './precision.js'
import type { Percentiles, Scope } from './quantiles.js'
import { lookRows, warnOfRows } from './suitability.js'

/** Fewer rows than this make poor ranges, and a warning. */
const FEW_ROWS = 100

/** What ranges and levels are taken from, and what the embeddings pass through first. */
export interface QuantizeOptions {
  /** Ranges of int8 and uint8: a Calibration, or 2 x dims (minima, maxima). */
  readonly ranges?: RangesInput
  /** Embeddings to take the ranges from; without them and `ranges`, the embeddings themselves. */
  readonly calibrationEmbeddings?: Embeddings
  /** ternary, quaternary, int4: the levels to use, from an earlier call or `Levels.from`. */
  readonly levels?: Levels
  /**
   * 'dimension': ranges or thresholds of each dimension; 'global': of the flattened matrix. By default 8-bit codes go by
   * dimension, 2- and 4-bit codes are global.
   */
  readonly scope?: Scope
  /** Ranges between two percentiles, [low, high] of 0 to 100; int4 takes [1, 99] by default, 8-bit codes all values. */
  readonly percentiles?: Percentiles
  /**
   * Keeps a factor for each row, 1 / (x · decoded x) for unit vectors, as float32 or float16 (`true`); 0 for a row of zeros.
   * A factor that float16 cannot hold (below 6.1e-5, above 65,504) is kept as float32, and its column with it in a file.
   */
  readonly scale?: boolean | ScaleType
  /**
   * 'floor' gives the codes of sentence-transformers 6, 'truncate' those of its versions up to 5.6, which cut int8 towards
   * zero: trunc((x - min) / step - 128), saturating.
   */
  readonly rounding?: Rounding
  /** Width of a row, where `embeddings` is a flat array of several rows. */
  readonly dims?: number
  /** Gets each warning as a sentence; `console.warn` by default. */
  readonly onWarning?: (message: string) => void
}

const QUANTIZE_CHECKS: OptionChecks<QuantizeOptions> = {
  ranges: true,
  calibrationEmbeddings: true,
  levels: true,
  scope: true,
  percentiles: true,
  scale: true,
  rounding: true,
  dims: true,
  onWarning: checkFunction,
}

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
  const quantize = (source: RowSource, argument: string, book: Codebook | undefined): QuantizedEmbeddings<P> => {
    if (book && source.dims !== 0) checkSameDims(argument, source.dims, book.dims, 'the calibration')
    const dims = source.dims || (book?.dims ?? 0)
    const { bytes, scales } = encodeAll(source, precision, { book, rounding, scale }, argument)
    return {
      data: codeArray(precision, bytes),
      rows: source.rows,
      dims,
      rowBytes: codeRowBytes(precision, dims),
      precision,
      ...(book instanceof Calibration ? { calibration: book } : {}),
      ...(book instanceof Levels ? { levels: book } : {}),
      ...(scales ? { scales } : {}),
    }
  }
  if (!isMatrixList(embeddings)) {
    const source = toRows(embeddings, 'embeddings', options.dims)
    const book = chooseCodebook([source], sampleOf(options, source.dims), precision, options)
    look(source, precision, book, options)
    return quantize(source, 'embeddings', book)
  }
  const sources = checkArray(embeddings, 'embeddings').map((matrix, i) => toRows(matrix, `embeddings[${i}]`))
  for (const [i, source] of sources.entries()) {
    checkSameDims(`embeddings[${i}]`, source.dims, sources[0]!.dims, 'embeddings[0]')
  }
  const book = chooseCodebook(sources, sampleOf(options, sources[0]!.dims), precision, options)
  look(
    sources.reduce((most, source) => (source.rows > most.rows ? source : most)),
    precision,
    book,
    options,
  )
  return sources.map((source, i) => quantize(source, `embeddings[${i}]`, book))
}

/** Tells of rows that do not suit their codes. */
function look(source: RowSource, precision: Precision, book: Codebook | undefined, options: QuantizeOptions): void {
  const { ranges, calibrationEmbeddings, percentiles, onWarning } = options
  const isOwn = ranges === undefined && calibrationEmbeddings === undefined && percentiles === undefined
  const suited = {
    bits: precisionKind(precision) === 'bits' ? precision : undefined,
    ranged: isOwn && book instanceof Calibration ? { precision, book } : undefined,
    rows: source.rows,
    hint: 'Quantize transformEmbeddings(embeddings, { center: true }), which subtracts the mean',
  }
  warnOfRows(evenSample(source, lookRows(source.rows)), suited, onWarning)
}

export type CodebookOptions = Pick<QuantizeOptions, 'ranges' | 'levels' | 'scope' | 'percentiles' | 'onWarning'>

/** What a call calls its options, for messages that recommend one. */
export interface CodebookNames {
  readonly ranges: 'ranges' | 'calibration'
  readonly sample?: 'calibrationEmbeddings'
}

const QUANTIZE_NAMES: CodebookNames = { ranges: 'ranges', sample: 'calibrationEmbeddings' }
export const BUILD_NAMES: CodebookNames = { ranges: 'calibration', sample: 'calibrationEmbeddings' }

/** The options that spare a call from calibrating on its own rows. */
function remedyOf(precision: Precision, { ranges, sample }: CodebookNames): string {
  const book = `\`${isLevelPrecision(precision) ? 'levels' : ranges}\``
  return sample === undefined ? book : `${book} or \`${sample}\``
}

function sampleOf({ calibrationEmbeddings }: QuantizeOptions, dims: number): RowSource | undefined {
  if (calibrationEmbeddings === undefined) return undefined
  return toRows(calibrationEmbeddings, 'calibrationEmbeddings', dims || undefined)
}

/** The ranges or levels to use, in the reference's order: those given, those of a sample, the embeddings' own. */
export function chooseCodebook(
  sources: readonly RowSource[],
  sample: RowSource | undefined,
  precision: Precision,
  options: CodebookOptions,
  names: CodebookNames = QUANTIZE_NAMES,
): Codebook | undefined {
  const kind = precisionKind(precision)
  if (kind === 'bits' || kind === 'floats') return undefined
  const dims = sources[0]?.dims || undefined
  if (isLevelPrecision(precision)) {
    if (options.levels !== undefined) return checkLevels(options.levels, precision, dims ?? options.levels.dims)
  } else if (options.ranges !== undefined) {
    return Calibration.readRanges(options.ranges, dims, names.ranges)
  }
  const rows = sources.reduce((sum, source) => sum + source.rows, 0)
  if (sample === undefined && !checkOwnRows(rows, precision, options, names)) return undefined
  const from = sample === undefined ? sources : [sample]
  const argument = sample === undefined ? 'embeddings' : 'calibrationEmbeddings'
  if (sample?.rows === 0) fail('EMPTY', argument, 'at least 1 row', '0 rows')
  return isLevelPrecision(precision)
    ? Levels.fromSources(from, precision, options, argument)
    : Calibration.fromSources(from, options, argument)
}

/** Whether embeddings can be calibrated on themselves: zero rows need nothing, one row cannot, few rows get a warning. */
export function checkOwnRows(
  rows: number,
  precision: Precision,
  options: CodebookOptions,
  names: CodebookNames,
): boolean {
  if (rows === 0) return false
  if (rows === 1) {
    throw new PackvecError(
      'CALIBRATION_REQUIRED',
      'embeddings',
      `Cannot compute ${precision} quantization ranges from a single embedding: ` +
        `give ${remedyOf(precision, names)} from a representative set of embeddings`,
    )
  }
  if (rows < FEW_ROWS) {
    const warn = options.onWarning ?? console.warn
    warn(
      `Computing ${precision} quantization buckets based on ${rows} embeddings. ${precision} quantization is more ` +
        `stable with buckets from more embeddings: give ${remedyOf(precision, names)}.`,
    )
  }
  return true
}

/** `true` is float16 where all factors fit; floats have nothing to mend. */
export function checkScale(scale: boolean | ScaleType | undefined, precision: Precision): ScaleType | undefined {
  if (scale === undefined || scale === false || precision === 'float32') return undefined
  return scale === true ? 'float16' : checkOneOf(scale, ['float16', 'float32'] as const, 'scale')
}

/** What codes were made with, where they do not carry it. */
export interface DequantizeOptions {
  /** Ranges the int8 or uint8 codes were made with, where the codes do not carry them. */
  readonly ranges?: RangesInput
  /** Levels the ternary, quaternary or int4 codes were made with, where the codes do not carry them. */
  readonly levels?: Levels
  /** Precision of codes that came as { data, dims }. */
  readonly precision?: Precision
  /** Dimensions of the embeddings behind packed codes that came as { data, dims }: whole bytes by default. */
  readonly dims?: number
}

const DEQUANTIZE_CHECKS: OptionChecks<DequantizeOptions> = { ranges: true, levels: true, precision: true, dims: true }

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
  if (precision === 'float32') {
    new Uint8Array(data.buffer).set(bytes)
  } else {
    const { levels, ranges } = options
    const own = isLevelPrecision(precision) ? levels : ranges && Calibration.readRanges(ranges, dims, 'ranges')
    const book = requireCodebook(own ?? carried, precision, dims, { ranges: 'ranges' })
    const decode = openDecoder(precision, book)
    const rowBytes = codeRowBytes(precision, dims)
    for (let row = 0; row < rows; row++) {
      const target = data.subarray(row * dims, (row + 1) * dims)
      decode(bytes, row * rowBytes, target)
      // Adding 0 makes -0 into 0, which a row of zeros is then made of.
      if (scales !== undefined) for (let d = 0; d < dims; d++) target[d] = target[d]! * scales[row]! + 0
    }
  }
  return { data, rows, dims, rowBytes: 4 * dims, precision: 'float32' }
}

/** The codebook that a precision needs, checked; undefined where it needs none. */
export function requireCodebook(
  book: Codebook | undefined,
  precision: Precision,
  dims: number,
  names: CodebookNames,
): Codebook | undefined {
  const kind = precisionKind(precision)
  if (kind === 'bits' || kind === 'floats') return undefined
  if (book === undefined) {
    const [what, option] = isLevelPrecision(precision) ? ['levels', 'levels'] : ['calibration', names.ranges]
    const message = `${precision} codes mean nothing without the ${what} they were made with, got none: give \`${option}\``
    throw new PackvecError('CALIBRATION_REQUIRED', option, message)
  }
  if (isLevelPrecision(precision)) return checkLevels(book, precision, dims)
  if (!isInstance(book, Calibration)) return fail('INVALID_ARGUMENT', names.ranges, 'a Calibration', describe(book))
  checkSameDims(names.ranges, book.dims, dims, 'the embeddings')
  return book
}

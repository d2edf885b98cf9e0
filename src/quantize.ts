import { Calibration, type RangesInput } from './calibration.js'
import { checkOneOf, checkSameDims } from './check.js'
import { type CodesInput, codeArray, type QuantizedEmbeddings, toCodes } from './codes.js'
import { encodeAll, type Rounding } from './encoder.js'
import { PackvecError } from './errors.js'
import { type Embeddings, isMatrixList, type Matrix, type RowSource, toRows } from './matrix.js'
import { checkPrecision, codeRowBytes, isSigned, type Precision, precisionKind } from './precision.js'

/** Fewer rows than this make poor ranges, and a warning. */
const FEW_ROWS = 100

export interface QuantizeOptions {
  /** Ranges of int8 and uint8: a Calibration, or 2 x dims (minima, maxima). */
  readonly ranges?: RangesInput
  /** Embeddings to take the ranges from; without them and `ranges`, the embeddings themselves. */
  readonly calibrationEmbeddings?: Embeddings
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

/**
 * Quantizes float embeddings (rows x dims), bit for bit as sentence-transformers' `quantize_embeddings` does: `float32`
 * copies, `int8` and `uint8` put each dimension in one of 256 buckets between its minimum and maximum, `binary` and
 * `ubinary` keep x > 0 as one bit, eight to a byte, first dimension in the top bit. A list of matrices gives a list of
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
  options: QuantizeOptions = {},
): QuantizedEmbeddings<P> | QuantizedEmbeddings<P>[] {
  checkPrecision(precision)
  const rounding = checkOneOf(options.rounding ?? 'floor', ['floor', 'truncate'], 'rounding')
  const quantize = (source: RowSource, argument: string, calibration: Calibration | undefined) => {
    if (calibration && source.dims !== 0) checkSameDims(argument, source.dims, calibration.dims, 'the calibration')
    const dims = source.dims || (calibration?.dims ?? 0)
    const bytes = encodeAll(source, precision, calibration?.buckets, rounding, argument)
    const rowBytes = codeRowBytes(precision, dims)
    const codes = { data: codeArray(precision, bytes), rows: source.rows, dims, rowBytes, precision }
    return calibration ? { ...codes, calibration } : codes
  }
  if (!isMatrixList(embeddings)) {
    const source = toRows(embeddings, 'embeddings', options.dims)
    return quantize(source, 'embeddings', chooseCalibration([source], precision, options))
  }
  const sources = embeddings.map((matrix, i) => toRows(matrix, `embeddings[${i}]`))
  for (const [i, source] of sources.entries()) {
    checkSameDims(`embeddings[${i}]`, source.dims, sources[0]!.dims, 'embeddings[0]')
  }
  const calibration = chooseCalibration(sources, precision, options)
  return sources.map((source, i) => quantize(source, `embeddings[${i}]`, calibration))
}

/** The ranges to use, in the reference's order: those given, the calibration embeddings', the embeddings' own. */
export function chooseCalibration(
  sources: readonly RowSource[],
  precision: Precision,
  options: Pick<QuantizeOptions, 'ranges' | 'calibrationEmbeddings' | 'onWarning'>,
): Calibration | undefined {
  if (precisionKind(precision) !== 'bytes') return undefined
  const dims = sources[0]?.dims || undefined
  if (options.ranges !== undefined) return Calibration.fromRanges(options.ranges, { dims })
  if (options.calibrationEmbeddings !== undefined) return Calibration.from(options.calibrationEmbeddings, { dims })
  const rows = sources.reduce((sum, source) => sum + source.rows, 0)
  if (rows === 0) return undefined
  if (rows === 1) {
    throw new PackvecError(
      'CALIBRATION_REQUIRED',
      'embeddings',
      `Cannot compute ${precision} quantization ranges from a single embedding: ` +
        'give `ranges` or `calibrationEmbeddings` from a representative set of embeddings',
    )
  }
  if (rows < FEW_ROWS) {
    const warn = options.onWarning ?? console.warn
    warn(
      `Computing ${precision} quantization buckets based on ${rows} embeddings. ${precision} quantization is more ` +
        'stable with `ranges` calculated from more embeddings or `calibrationEmbeddings` that can be used to ' +
        'calculate the buckets.',
    )
  }
  return Calibration.fromSources(sources)
}

export interface DequantizeOptions {
  /** Ranges the int8 or uint8 codes were made with, where the codes do not carry them. */
  readonly ranges?: RangesInput
  /** Precision of codes that came as { data, dims }. */
  readonly precision?: Precision
  /** Dimensions of the embeddings behind bits that came as { data, dims }: 8 a byte by default. */
  readonly dims?: number
}

/**
 * Decodes rows of codes to float32, rows x dims: `int8` and `uint8` to the lower edge of their bucket (code · step + min, as
 * sentence-transformers rescores), bits to +1 and -1, `float32` to a copy.
 * @throws PackvecError CALIBRATION_REQUIRED, DIMS_MISMATCH, WRONG_WIDTH
 */
export function dequantizeEmbeddings(
  codes: CodesInput,
  options: DequantizeOptions = {},
): QuantizedEmbeddings<'float32'> {
  const own = 'precision' in codes ? codes.precision : undefined
  const precision = checkPrecision(options.precision ?? own)
  const { bytes, rows, dims, calibration: carried } = toCodes(codes, precision, 'codes', options.dims)
  const data = new Float32Array(rows * dims)
  if (precision === 'float32') {
    new Uint8Array(data.buffer).set(bytes)
  } else if (precisionKind(precision) === 'bits') {
    decodeBits(bytes, isSigned(precision) ? 0x80 : 0, dims, data)
  } else {
    const given = options.ranges === undefined ? carried : Calibration.fromRanges(options.ranges, { dims })
    const calibration = requireCalibration(given, precision)
    checkSameDims('ranges', calibration.dims, dims, 'the codes')
    const { mins, steps } = calibration.buckets
    const flip = isSigned(precision) ? 0x80 : 0
    for (let i = 0, d = 0; i < data.length; i++) {
      data[i] = (bytes[i]! ^ flip) * steps[d]! + mins[d]!
      d = d + 1 === dims ? 0 : d + 1
    }
  }
  return { data, rows, dims, rowBytes: 4 * dims, precision: 'float32' }
}

function decodeBits(bytes: Uint8Array, flip: number, dims: number, data: Float32Array): void {
  const rowBytes = codeRowBytes('ubinary', dims)
  for (let row = 0; row * dims < data.length; row++) {
    for (let d = 0; d < dims; d++) {
      const byte = bytes[row * rowBytes + (d >> 3)]! ^ flip
      data[row * dims + d] = (byte >> (7 - (d & 7))) & 1 ? 1 : -1
    }
  }
}

export function requireCalibration(calibration: Calibration | undefined, precision: Precision): Calibration {
  if (calibration !== undefined) return calibration
  throw new PackvecError(
    'CALIBRATION_REQUIRED',
    'calibration',
    `${precision} codes mean nothing without the ranges they were made with: give the calibration, got none`,
  )
}

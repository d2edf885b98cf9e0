import type { RowSource } from '../rows/matrix.js'
import type { Codebook } from './code.js'
import type { Precision } from './precision.js'
import type { Calibration } from './ranges.js'

/** Fewer rows say nothing about a corpus. */
export const FEW_ROWS = 32
/** Where a dimension has one sign in so many of the rows, its bit tells rows apart no more. */
const ONE_SIGN = 0.9
/** Widths of ranges, in standard deviations of usual rows, from which rounding to buckets costs recall (measured: 0.01 at 40). */
const WIDE = 40
/** A row whose squared length is so many times the median is none of the usual ones. */
const OUTLIER = 100

/** Rows to look at (measured: 0.3 to 0.5 ms of a build of 10,003 x 384, 1.1 to 1.4 % of one of 117,659, less of more). */
export function lookRows(rows: number): number {
  return Math.min(rows, Math.max(48, Math.min(512, Math.floor(rows / 512))))
}

export type Listener = ((message: string) => void) | undefined

/** What rows are encoded as. */
export interface Suited {
  /** The codes of one bit, if there are any. */
  readonly bits: Precision | undefined
  /** The 8-bit codes whose ranges are minima and maxima of all rows. */
  readonly ranged: { readonly precision: Precision; readonly book: Codebook } | undefined
  /** Rows that `look` is a sample of. */
  readonly rows: number
  /** How the caller can subtract the mean. */
  readonly hint: string
}

/** Tells of rows that their codes keep badly, and what helps; `look` is a sample of the rows as they are encoded. */
export function warnOfRows(look: RowSource, { bits, ranged, rows, hint }: Suited, onWarning: Listener): void {
  if (look.rows < FEW_ROWS || (bits === undefined && ranged === undefined)) return
  const { positive, variance } = lookAt(look)
  const alike = positive.filter((share) => Math.max(share, 1 - share) >= ONE_SIGN).length
  if (bits !== undefined && alike > look.dims / 2) {
    tell(
      onWarning,
      `${bits} codes keep signs only, and ${alike} of ${look.dims} dimensions have one sign in at least ${100 * ONE_SIGN} % of ` +
        `the rows: their bits hardly tell rows apart. ${hint}`,
    )
  }
  const width = ranged === undefined ? 0 : relativeWidth(ranged.book as Calibration, variance)
  if (width > WIDE) {
    const low = Number(Math.max(0.05, Math.ceil(20_000 / rows) / 100).toPrecision(2))
    tell(
      onWarning,
      `the ${ranged!.precision} ranges, from minimum to maximum, are ${Math.round(width)} times the standard deviation of most ` +
        'rows: few rows lie far outside, and the 256 steps are too wide for the others. Pass percentiles: ' +
        `[${low}, ${100 - low}] to cut them off, and scale: true to keep their lengths`,
    )
  }
}

export function tell(onWarning: Listener, message: string): void {
  ;(onWarning ?? console.warn)(message)
}

/** Of each dimension the share of positive values; the variance of usual rows, summed over dimensions. */
function lookAt(look: RowSource): { positive: Float64Array; variance: number } {
  const { rows, dims } = look
  const values = new Float32Array(rows * dims)
  look.copyRows(0, rows, values, dims)
  const squares = squaresOf(values, rows, dims)
  const most = OUTLIER * squares.slice().sort()[rows >> 1]!
  const [positive, sums, sumSquares] = [new Float64Array(dims), new Float64Array(dims), new Float64Array(dims)]
  let count = 0
  for (let row = 0; row < rows; row++) {
    const isUsual = squares[row]! <= most
    if (isUsual) count++
    for (let d = 0; d < dims; d++) {
      const value = values[row * dims + d]!
      if (value > 0) positive[d]!++
      if (!isUsual) continue
      sums[d]! += value
      sumSquares[d]! += value * value
    }
  }
  const variance = sumSquares.reduce((sum, square, d) => sum + square / count - (sums[d]! / count) ** 2, 0)
  return { positive: positive.map((ones) => ones / rows), variance }
}

export function squaresOf(values: Float32Array, rows: number, dims: number): Float64Array {
  const squares = new Float64Array(rows)
  for (let row = 0; row < rows; row++) {
    let square = 0
    for (let at = row * dims; at < (row + 1) * dims; at++) square += values[at]! * values[at]!
    squares[row] = square
  }
  return squares
}

/** The root of the mean squared width of ranges, in standard deviations: wide dimensions may be those that vary. */
function relativeWidth(ranges: Calibration, variance: number): number {
  const { mins, maxs } = ranges.minMax
  const square = mins.reduce((sum, min, d) => sum + (maxs[d]! - min) ** 2, 0)
  return variance > 0 ? Math.sqrt(square / variance) : 0
}

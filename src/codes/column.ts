import type { Codebook, ScaleType } from './code.js'
import type { Precision } from './precision.js'
import type { Percentiles, Scope } from './quantiles.js'

/** The codes of all rows in one precision, as they are made: with their codebook, and with factors or without. */
export interface CodeColumn {
  readonly precision: Precision
  readonly book: Codebook | undefined
  /** Whether each row has a factor, and how it is rounded. */
  readonly scale: ScaleType | undefined
  /** How the codebook was taken from the rows of the index itself; undefined where it is fixed. */
  readonly fit?: BookFit | undefined
}

/** How a codebook was taken from the very rows of its index, so that it may follow the rows that are added. */
export interface BookFit {
  readonly scope: Scope
  /** Undefined: minima and maxima of 8-bit codes, the usual quantiles of others. */
  readonly percentiles: Percentiles | undefined
}

/** Codes of a column from elsewhere; bits may be of either sign. */
export interface ColumnCodes {
  readonly precision: Precision
  readonly bytes: Uint8Array
  readonly scales: Float32Array | undefined
}

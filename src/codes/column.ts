import type { BookFit, Codebook, ScaleType } from './codebook.js'
import type { Precision } from './precision.js'

/** One kind of code that a store keeps. */
export interface CodeColumn {
  readonly precision: Precision
  readonly book: Codebook | undefined
  /** Whether each row has a factor, and how it is rounded. */
  readonly scale: ScaleType | undefined
  /** How the codebook was taken from the rows of the index itself; undefined where it is fixed. */
  readonly fit?: BookFit | undefined
}

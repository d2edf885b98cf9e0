import { checkFunction, checkOneOf } from '../base/check.js'
import type { OptionChecks } from '../base/options.js'
import { type Embeddings, type RowSource, toRows } from '../rows/matrix.js'
import type { Codebook, ScaleType } from './code.js'
import type { Levels } from './levels.js'
import type { Precision } from './precision.js'
import type { Percentiles, Scope } from './quantiles.js'
import type { RangesInput } from './ranges.js'
import { codeOf } from './registry.js'

/** What gives codes their meaning. */
export interface BookOptions {
  /** Ranges of int8 and uint8, of the embeddings as they are encoded: a Calibration, or 2 x dims (minima, maxima). */
  readonly ranges?: RangesInput
  /** Levels of ternary, quaternary and int4, likewise, from an earlier call or `Levels.from`. */
  readonly levels?: Levels
  /** The codebook of codes that take another one. */
  readonly codebook?: Codebook
}

/** What codes are made with: the same options wherever embeddings are quantized. */
export interface CodeOptions extends BookOptions {
  /** Embeddings to take ranges and levels from, as they come from the model; by default those that are quantized. */
  readonly calibrationEmbeddings?: Embeddings
  /**
   * 'dimension': ranges or thresholds of each dimension; 'global': of the flattened matrix. By default 8-bit codes go by
   * dimension, 2- and 4-bit codes are global.
   */
  readonly scope?: Scope
  /** Ranges between two percentiles, [low, high] of 0 to 100; int4 takes [1, 99] by default, 8-bit codes all values. */
  readonly percentiles?: Percentiles
  /**
   * Keeps a factor for each row, 1 / (x · decoded x) for unit vectors, as float32 or float16 (`true`); 0 for a row of zeros.
   * A factor that float16 cannot hold (below 6.1e-5, above 65,504) is kept as float32, and its column with it in a file. In
   * memory a factor takes 4 bytes.
   */
  readonly scale?: boolean | ScaleType
  /** Gets each warning as a sentence; `console.warn` by default. */
  readonly onWarning?: (message: string) => void
}

export const BOOK_CHECKS: OptionChecks<BookOptions> = { ranges: true, levels: true, codebook: true }

export const CODE_CHECKS: OptionChecks<CodeOptions> = {
  ...BOOK_CHECKS,
  calibrationEmbeddings: true,
  scope: true,
  percentiles: true,
  scale: true,
  onWarning: checkFunction,
}

/** The embeddings to calibrate on, where the caller gave some. */
export function sampleOf(
  { calibrationEmbeddings }: Pick<CodeOptions, 'calibrationEmbeddings'>,
  dims: number,
): RowSource | undefined {
  if (calibrationEmbeddings === undefined) return undefined
  return toRows(calibrationEmbeddings, 'calibrationEmbeddings', dims || undefined)
}

/** `true` is float16 where all factors fit; floats have nothing to mend. */
export function checkScale(scale: boolean | ScaleType | undefined, precision: Precision): ScaleType | undefined {
  if (scale === undefined || scale === false || codeOf(precision).factors === 0) return undefined
  return scale === true ? 'float16' : checkOneOf(scale, ['float16', 'float32'] as const, 'scale')
}

import { fitsHalf, roundToHalf } from '../base/half.js'
import type { Calibration } from './calibration.js'
import type { Encoder } from './encoder.js'
import { Levels } from './levels.js'
import { isSigned, type Precision, precisionKind } from './precision.js'
import type { Percentiles, Scope } from './quantiles.js'

/** What gives codes their meaning: ranges of 8-bit codes, levels of 2- and 4-bit codes. Bits and floats need neither. */
export type Codebook = Calibration | Levels

/** How a codebook was taken from the very rows of its index, so that it may follow the rows that are added. */
export interface BookFit {
  readonly scope: Scope
  /** Undefined: minima and maxima of 8-bit codes, the usual quantiles of others. */
  readonly percentiles: Percentiles | undefined
}

/** How a per-vector scale is kept: float16 is for columns in which every factor fits one, and float32 for the others. */
export type ScaleType = 'float16' | 'float32'

/** Hands the encoder what it needs to make codes of this precision. */
export function setCodebook(encoder: Encoder, precision: Precision, book: Codebook | undefined): void {
  if (book instanceof Levels && precisionKind(precision) === 'pairs') encoder.setThresholds(book.cuts)
  else if (book !== undefined) encoder.setBuckets(book.buckets, precision)
}

/** Decodes one row of codes (unpadded or padded, at `offset` bytes) to `target`, one float a dimension. */
export type RowDecoder = (codes: Uint8Array, offset: number, target: Float32Array) => void

/**
 * The decoder of a precision: 8-bit codes to the lower edge of their bucket (code · step + min, as sentence-transformers
 * rescores), 2- and 4-bit codes to their level, bits to +1 and -1.
 */
export function openDecoder(precision: Precision, book: Codebook | undefined): RowDecoder {
  const flip = isSigned(precision) ? 0x80 : 0
  if (book instanceof Levels) return levelDecoder(precision, book.table)
  if (book === undefined) {
    return (codes, offset, target) => {
      for (let d = 0; d < target.length; d++) {
        target[d] = ((codes[offset + (d >> 3)]! ^ flip) >> (7 - (d & 7))) & 1 ? 1 : -1
      }
    }
  }
  const { mins, steps } = book.buckets
  return (codes, offset, target) => {
    for (let d = 0; d < target.length; d++) target[d] = (codes[offset + d]! ^ flip) * steps[d]! + mins[d]!
  }
}

function levelDecoder(precision: Precision, levels: readonly Float32Array[]): RowDecoder {
  if (precisionKind(precision) === 'pairs') {
    return (codes, offset, target) => {
      for (let d = 0; d < target.length; d++) {
        const code = (codes[offset + (d >> 2)]! >> (6 - 2 * (d & 3))) & 3
        target[d] = levels[code]?.[d] ?? 0
      }
    }
  }
  return (codes, offset, target) => {
    for (let d = 0; d < target.length; d++)
      target[d] = levels[(codes[offset + (d >> 1)]! >> (4 - 4 * (d & 1))) & 15]![d]!
  }
}

/**
 * The factor that makes the decoded row x̂ of a row x right along x itself: |x|² / (x · x̂), which is 1 / (x · x̂) for unit
 * vectors. The dot of x with its scaled code is then exact, and that of its neighbours nearly so. A row of zeros gets 0, so
 * that it decodes to zero; a row whose code points away from it gets 1. As float16, a factor that no half holds to 11 bits
 * stays a float32: which factors are rounded does not depend on the rows beside them.
 */
export function rowScale(row: Float32Array, decoded: Float32Array, type: ScaleType): number {
  let square = 0
  let dot = 0
  for (let d = 0; d < row.length; d++) {
    square += row[d]! * row[d]!
    dot += row[d]! * decoded[d]!
  }
  if (square === 0) return 0
  const scale = Math.fround(square / dot)
  if (!(scale > 0 && Number.isFinite(scale))) return 1
  return type === 'float16' && fitsHalf(scale) ? roundToHalf(scale) : scale
}

/** The type that holds all factors of a column that was asked for as `type`. */
export function columnType(scales: Float32Array, type: ScaleType): ScaleType {
  return type === 'float16' && scales.every(fitsHalf) ? 'float16' : 'float32'
}

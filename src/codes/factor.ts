import { fitsHalf, roundToHalf } from '../base/half.js'
import type { ScaleType } from './code.js'

/**
 * The factor that makes the decoded row x̂ of a row x right along x itself: |x|² / (x · x̂), which is 1 / (x · x̂) for unit
 * vectors. The dot of x with its scaled code is then exact, and that of its neighbours nearly so. A row of zeros gets 0, so
 * that it decodes to zero; a row whose code points away from it gets 1. As float16, a factor that no half holds to 11 bits
 * stays a float32: which factors are rounded does not depend on the rows beside them.
 */
export function rowFactor(row: Float32Array, decoded: Float32Array, type: ScaleType): number {
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

import type { Calibration } from './calibration.js'
import { isSigned, type Precision } from './precision.js'

/** A float query with the steps of 8-bit codes in it, and what does not depend on the codes. */
export interface FoldedQuery {
  readonly folded: Float32Array
  readonly constant: number
}

/**
 * query · decode(codes) = sum (q · step) · code + q · (min + 128 · step for signed codes): the step goes into the query once,
 * so that raw codes are dotted and nothing is decoded.
 */
export function foldQuery(query: Float32Array, precision: Precision, calibration: Calibration): FoldedQuery {
  const { mins, steps } = calibration.buckets
  const offset = isSigned(precision) ? 128 : 0
  let constant = 0
  const folded = query.map((value, d) => {
    constant += value * (mins[d]! + offset * steps[d]!)
    return value * steps[d]!
  })
  return { folded, constant }
}

/**
 * The query in int16, in units as small as they can be: every |q| within int16 and every sum of |q| · |code| below 2^31.
 * A rounded value is off by at most 1/2, so a score by at most dims · codeLimit / 2 units.
 */
export function quantizeQuery(folded: Float32Array, precision: Precision, target: Int16Array): void {
  const codeLimit = isSigned(precision) ? 128 : 255
  let largest = 0
  let sum = 0
  for (const value of folded) {
    largest = Math.max(largest, Math.abs(value))
    sum += Math.abs(value)
  }
  const sumLimit = 2 ** 31 / codeLimit - folded.length / 2 - 1
  const scale = largest === 0 ? 0 : Math.min(32_767 / largest, sumLimit / sum)
  for (let d = 0; d < folded.length; d++) target[d] = Math.round(folded[d]! * scale)
}

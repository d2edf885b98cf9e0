import type { Calibration } from '../../codes/ranges.js'
import type { ExactQuery } from './form.js'
import { type Rounding, spreadOf } from './rounding.js'

/**
 * query · decode(codes) = sum (q · step) · code + q · (min + 128 · step for signed codes): the step goes into the query once,
 * so that raw codes are dotted and nothing is decoded.
 */
export function foldQuery(query: Float32Array, isSigned: boolean, calibration: Calibration): ExactQuery {
  const { mins, steps } = calibration.buckets
  const offset = isSigned ? 128 : 0
  const values = new Float32Array(query.length)
  let constant = 0
  for (let d = 0; d < query.length; d++) {
    constant += query[d]! * (mins[d]! + offset * steps[d]!)
    values[d] = query[d]! * steps[d]!
  }
  return { values, constant }
}

/** Standard deviation of 8-bit codes over rows, about; and what a rounding to whole units makes of codes of this size. */
const CODE_SPREAD = 40
const NOISE = 75 * Math.sqrt(1 / 12)

/**
 * The query in int16, in units as small as they can be: every |q| within int16 and every sum of |q| · |code| below 2^31.
 * A rounded value is off by at most 1/2, so a score by at most dims · codeLimit / 2 units.
 */
export function quantizeQuery(folded: Float32Array, signed: boolean, target: Int16Array): Rounding {
  const codeLimit = signed ? 128 : 255
  let largest = 0
  let sum = 0
  for (const value of folded) {
    largest = Math.max(largest, Math.abs(value))
    sum += Math.abs(value)
  }
  const sumLimit = 2 ** 31 / codeLimit - folded.length / 2 - 1
  const scale = largest === 0 ? 0 : Math.min(32_767 / largest, sumLimit / sum)
  const unit = scale > 0 ? 1 / scale : 0
  let over = 0
  let under = 0
  let greatest = 0
  const spreads = new Float64Array(folded.length)
  for (let d = 0; d < folded.length; d++) {
    const value = Math.round(folded[d]! * scale)
    target[d] = value
    const off = folded[d]! - value * unit
    if (off > 0) over += off
    else under -= off
    greatest += Math.abs(value)
    spreads[d] = folded[d]! * scale * CODE_SPREAD
  }
  // Exact scores are float32: a product, a tree of four, a sum of a lane, two folds of lanes.
  const error = (folded.length / 16 + 8) * 2 ** -23 * sum * codeLimit
  const [low, high] = signed ? [-codeLimit * (over + under), codeLimit * (over + under)] : [-255 * under, 255 * over]
  const { size, isBlurred } = spreadOf(spreads, NOISE)
  const width = size > 0 ? (high + error) * (scale / size) : 0
  return { unit, low: low - error, high: high + error, greatest: greatest * codeLimit, width, isBlurred }
}

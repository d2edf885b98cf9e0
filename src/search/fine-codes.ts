import type { Precision } from '../codes/precision.js'
import type { Calibration } from '../codes/ranges.js'
import type { Recoding } from '../codes/recoding.js'
import { codeOf } from '../codes/registry.js'

/**
 * Eight more bits of each 8-bit code of a store that grows: where in its bucket the value lies. Ranges can then be widened as
 * often as rows ask for it, and the codes are those that the new ranges give at once.
 */
export class FineCodes {
  readonly #stride: number
  /** As wide as the codes, rounded and cut off on storing; a value of which nothing is known lies in the middle. */
  #fractions: Uint8ClampedArray

  constructor(stride: number, rows: number) {
    this.#stride = stride
    this.#fractions = new Uint8ClampedArray(rows * stride).fill(0x80)
  }

  get rows(): number {
    return this.#fractions.length / this.#stride
  }

  reserve(rows: number): void {
    if (rows <= this.rows) return
    const wider = new Uint8ClampedArray(Math.max(rows, 2 * this.rows) * this.#stride)
    wider.set(this.#fractions)
    this.#fractions = wider
  }

  /** Takes down where the values of a row lie in their buckets; `codes` begins with those of the row. */
  put(row: number, values: Float32Array, codes: Uint8Array, precision: Precision, { buckets }: Calibration): void {
    const { mins, steps } = buckets
    const flip = codeOf(precision).isSigned ? 0x80 : 0
    const fractions = this.#fractions
    const at = row * this.#stride
    for (let d = 0; d < values.length; d++) {
      fractions[at + d] = ((values[d]! - mins[d]!) / steps[d]! - (codes[d]! ^ flip)) * 256
    }
  }

  /** Rewrites the codes of rows from `first` on. */
  recode(recoding: Recoding, codes: Uint8Array, first: number): void {
    const at = first * this.#stride
    recoding.applyFine(codes, this.#fractions.subarray(at, at + codes.length), this.#stride)
  }
}

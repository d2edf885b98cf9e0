import { type Rounding, spreadOf } from './rounding.js'

/** What each code of dimension `d` adds to the dot with a query whose value there is `value`. */
export type WriteTerms = (value: number, d: number, terms: Float32Array) => void

/**
 * A float query for codes below 8 bits is a table of 16 sums a nibble: what each value of the nibble adds to query · decode.
 * The nibble holds 4 dimensions of bits, 2 of 2-bit codes or 1 of int4, the first in its top bits; high nibble first.
 */
export function fillNibbleTable(query: Float32Array, bits: number, writeTerms: WriteTerms, target: Float32Array): void {
  target.fill(0)
  const dimsANibble = 4 / bits
  const mask = (1 << bits) - 1
  const terms = new Float32Array(1 << bits)
  for (let d = 0; d < query.length; d++) {
    writeTerms(query[d]!, d, terms)
    const place = d % dimsANibble
    const first = (16 * (d - place)) / dimsANibble
    const shift = 4 - bits * (place + 1)
    for (let nibble = 0; nibble < 16; nibble++) target[first + nibble]! += terms[(nibble >> shift) & mask]!
  }
}

/** The four look-ups of two bytes add up in a byte: their greatest entries, each rounded by half a unit at most. */
const MAX_FOUR = 255 - 2
/** The sum of the greatest entries of all nibbles stays below 2^16. */
const MAX_SUM = 65_535
/** Standard deviation of a nibble's sums over rows beside their range, about the same for bits, 2-bit codes and int4. */
const RELATIVE_SPREAD = 1 / 4
/** Standard deviation of a rounding to whole units. */
const NOISE = Math.sqrt(1 / 12)

/**
 * The table in 8 bits, for the fast scan: entries less the least of their nibble, in units that keep the entries of two bytes
 * to 8 bits together, and every sum of a row to 16 bits. A nibble's entry is off by at most half a unit.
 */
export function quantizeTable(table: Float32Array, target: Uint8Array): Rounding {
  const nibbles = table.length / 16
  const lows = new Float64Array(nibbles)
  const ranges = new Float64Array(nibbles)
  let magnitude = 0
  let total = 0
  let widest = 0
  let four = 0
  for (let n = 0; n < nibbles; n++) {
    let low = Number.POSITIVE_INFINITY
    let high = Number.NEGATIVE_INFINITY
    for (let i = 16 * n; i < 16 * n + 16; i++) {
      low = Math.min(low, table[i]!)
      high = Math.max(high, table[i]!)
    }
    lows[n] = low
    ranges[n] = high - low
    magnitude += Math.max(Math.abs(low), Math.abs(high))
    total += high - low
    if (n % 4 === 0) four = 0
    four += high - low
    widest = Math.max(widest, four)
  }
  const unit = Math.max(widest / MAX_FOUR, total / (MAX_SUM - nibbles / 2))
  const factor = unit > 0 ? 1 / unit : 0
  let [least, most] = [0, 0]
  for (let n = 0; n < nibbles; n++) {
    const low = lows[n]!
    let [under, over] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
    for (let i = 16 * n; i < 16 * n + 16; i++) {
      const value = table[i]!
      const sum = Math.round((value - low) * factor)
      target[i] = sum
      // What the nibble adds that the sum does not tell.
      const rest = value - sum * unit
      if (rest < under) under = rest
      if (rest > over) over = rest
    }
    least += under
    most += over
    ranges[n]! *= factor * RELATIVE_SPREAD
  }
  // The exact table adds float32 pair by pair, eight bytes as a tree, then one by one.
  const bytes = nibbles / 2
  const error = (bytes / 8 + 8) * 2 ** -23 * magnitude
  const { size, isBlurred } = spreadOf(ranges, NOISE)
  return {
    unit,
    low: least - error,
    high: most + error,
    greatest: MAX_SUM,
    width: widthOf((most - least) / 2 + error, unit, size),
    isBlurred,
  }
}

/** A half width beside a standard deviation in units. */
function widthOf(error: number, unit: number, size: number): number {
  return size > 0 ? error / unit / size : 0
}

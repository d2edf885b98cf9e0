import type { Slot } from './code-store.js'
import { Levels } from './levels.js'
import { precisionKind } from './precision.js'

/**
 * A float query for codes below 8 bits is a table of 16 sums a nibble: what each value of the nibble adds to query · decode.
 * The nibble holds 4 dimensions of bits, 2 of 2-bit codes or 1 of int4, the first in its top bits; high nibble first.
 */
export function fillNibbleTable(query: Float32Array, slot: Slot, target: Float32Array): void {
  target.fill(0)
  const bits = { bits: 1, pairs: 2, nibbles: 4 }[precisionKind(slot.precision) as 'bits' | 'pairs' | 'nibbles']
  const dimsANibble = 4 / bits
  const codes = 1 << bits
  const terms = new Float32Array(codes)
  for (let d = 0; d < query.length; d++) {
    termsOf(query[d]!, d, slot, terms)
    const table = target.subarray(16 * Math.floor(d / dimsANibble), 16 * Math.floor(d / dimsANibble) + 16)
    const shift = 4 - bits * ((d % dimsANibble) + 1)
    for (let nibble = 0; nibble < 16; nibble++) table[nibble]! += terms[(nibble >> shift) & (codes - 1)]!
  }
}

/**
 * What each code adds to the dot. Bits add the query where they are set, as sentence-transformers rescores them; with a
 * per-vector scale, which needs the decoded vector itself, they are +1 and -1.
 */
function termsOf(value: number, d: number, { book, scale }: Slot, terms: Float32Array): void {
  if (book instanceof Levels) {
    for (const [code, level] of book.table.entries()) terms[code] = value * level[d]!
    return
  }
  terms[0] = scale === undefined ? 0 : -value
  terms[1] = value
}

/** Four look-ups add up in a byte. */
const MAX_ENTRY = 63
/** The sum of the largest entries of all nibbles stays below 2^16. */
const MAX_SUM = 65_535

/**
 * The table in 8 bits, for the fast scan: entries less the least of their nibble, in units that keep every entry to 63 and
 * every sum of a row to 16 bits. A sum is off by at most half a unit a nibble.
 */
export function quantizeTable(table: Float32Array, target: Uint8Array): void {
  const nibbles = table.length / 16
  const lows = new Float32Array(nibbles)
  let widest = 0
  let total = 0
  for (let n = 0; n < nibbles; n++) {
    let low = Number.POSITIVE_INFINITY
    let high = Number.NEGATIVE_INFINITY
    for (let i = 16 * n; i < 16 * n + 16; i++) {
      low = Math.min(low, table[i]!)
      high = Math.max(high, table[i]!)
    }
    lows[n] = low
    widest = Math.max(widest, high - low)
    total += high - low
  }
  const unit = Math.max(widest / MAX_ENTRY, total / (MAX_SUM - nibbles))
  const factor = unit > 0 ? 1 / unit : 0
  for (let i = 0; i < table.length; i++) {
    target[i] = Math.min(MAX_ENTRY, Math.round((table[i]! - lows[i >> 4]!) * factor))
  }
}

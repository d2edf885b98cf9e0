import { isSet, popcount32 } from '../../base/bits.js'

/** Bits in which a query differs from the row of uint32 words that starts at `first`. */
export function hammingDistance(query: Uint32Array, rows: Uint32Array, first: number): number {
  let distance = 0
  for (let i = 0; i < query.length; i++) distance += popcount32(query[i]! ^ rows[first + i]!)
  return distance
}

/** The min(k, rows) rows of greatest score, best first, ties by lower row; a filter has a bit a row, LSB first. */
export function bestRows(scores: Int32Array | Float32Array, k: number, allowed?: Uint8Array): Uint32Array {
  const betterFirst = (a: number, b: number) => scores[b]! - scores[a]! || a - b
  const candidates: number[] = []
  // The k-th score of those sorted so far: a later row must be above it, for ties go to the earlier one.
  let least: number | undefined
  for (let row = 0; row < scores.length; row++) {
    if (least !== undefined && scores[row]! <= least) continue
    if (allowed !== undefined && !isSet(allowed, row)) continue
    candidates.push(row)
    if (candidates.length < 2 * k) continue
    candidates.sort(betterFirst).length = k
    least = scores[candidates[k - 1]!]!
  }
  return Uint32Array.from(candidates.sort(betterFirst).slice(0, k))
}

/** The min(k, ids) pairs of greatest score, best first, ties by lower id; copies, with -0 as 0. */
export function bestPairs(ids: Uint32Array, scores: Float32Array, k: number) {
  const order = Uint32Array.from(ids.keys()).sort((a, b) => scores[b]! - scores[a]! || ids[a]! - ids[b]!)
  const best = order.subarray(0, k)
  return { ids: best.map((i) => ids[i]!), scores: Float32Array.from(best, (i) => scores[i]! + 0) }
}

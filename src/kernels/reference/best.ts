import { isSet } from '../../base/bits.js'
import type { ReferenceMemory } from './memory.js'

/** How the kernels that search write what they found, in one memory. */
export function bestWriter({ floats, uint8, write }: ReferenceMemory) {
  /** The filter of `rowCount` rows at an address, if there is one. */
  function filterAt(allowedPtr: number | undefined, rowCount: number): Uint8Array | undefined {
    return allowedPtr ? uint8(allowedPtr, Math.ceil(rowCount / 8)) : undefined
  }

  /** Writes the answer of query number `q`: row numbers and scores, one query behind the other. */
  function writeBest(
    scores: Int32Array | Float32Array,
    k: number,
    q: number,
    idsPtr: number,
    scoresPtr: number,
    allowedPtr: number | undefined,
  ): void {
    const best = bestRows(scores, k, filterAt(allowedPtr, scores.length))
    const offset = 4 * q * best.length
    write(idsPtr + offset, best)
    const kept = scores.slice(0, best.length)
    for (const [rank, row] of best.entries()) kept[rank] = scores[row]!
    write(scoresPtr + offset, kept)
  }

  /** What `BoundKernel` makes of the sums of query number `q`: themselves without factors. */
  function boundsOf(
    sums: Int32Array,
    q: number,
    factorsPtr: number | undefined,
    boundsPtr: number | undefined,
  ): Int32Array | Float32Array {
    if (!factorsPtr) return sums
    const factors = floats(factorsPtr, sums.length)
    const [unit, high, low] = floats(boundsPtr! + 16 * q, 3) as unknown as [number, number, number]
    const { fround } = Math
    return new Float32Array(sums.length).map((_, row) => {
      const scaled = fround(fround(sums[row]!) * unit)
      const factor = factors[row]!
      return Math.max(fround(fround(scaled + high) * factor), fround(fround(scaled + low) * factor)) + 0
    })
  }

  return { filterAt, boundsOf, writeBest }
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

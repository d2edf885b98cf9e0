import { isSet } from '../../base/bits.js'
import type { BoundKernel, RowsKernel } from '../search-kernels.js'
import type { ReferenceMemory } from './memory.js'

type Scores = Int32Array | Float32Array

/** What tells one scan from another: how query number `q` scores the rows. */
export type Scorer = (
  queriesPtr: number,
  q: number,
  codesPtr: number,
  rowCount: number,
  rowBytes: number,
  start: number,
) => (row: number) => number

/** The two shapes of kernels that search, in one memory. */
export function searchShapes({ floats, words, uint8, write }: ReferenceMemory) {
  /** A kernel that scans; it writes the scores times `sign`. */
  function scan(Numbers: Int32ArrayConstructor | Float32ArrayConstructor, scorer: Scorer, sign = 1): BoundKernel {
    return (
      queriesPtr,
      queryCount,
      codesPtr,
      rowCount,
      rowBytes,
      k,
      _scratchPtr,
      idsPtr,
      scoresPtr,
      allowedPtr,
      factorsPtr,
      boundsPtr,
      start = 0,
    ) => {
      const allowed = allowedPtr ? uint8(allowedPtr, Math.ceil(rowCount / 8)) : undefined
      for (let q = 0; q < queryCount; q++) {
        const scoreOf = scorer(queriesPtr, q, codesPtr, rowCount, rowBytes, start)
        let scores: Scores = new Numbers(rowCount).map((_, row) => scoreOf(row))
        if (factorsPtr) scores = boundsOf(scores, factorsPtr, boundsPtr! + 16 * q)
        const best = bestRows(scores, k, allowed)
        const kept = scores.slice(0, best.length)
        for (const [rank, row] of best.entries()) kept[rank] = sign * scores[row]!
        const offset = 4 * q * best.length
        write(idsPtr + offset, best)
        write(scoresPtr + offset, kept)
      }
    }
  }

  /** The upper bounds of `BoundKernel`, of sums of one query. */
  function boundsOf(sums: Scores, factorsPtr: number, boundPtr: number): Float32Array {
    const factors = floats(factorsPtr, sums.length)
    const [unit, high, low] = floats(boundPtr, 3) as unknown as [number, number, number]
    const { fround } = Math
    return new Float32Array(sums.length).map((_, row) => {
      const scaled = fround(fround(sums[row]!) * unit)
      const factor = factors[row]!
      return Math.max(fround(fround(scaled + high) * factor), fround(fround(scaled + low) * factor)) + 0
    })
  }

  /** A kernel that scores rows by their numbers. */
  function scoreRows(scorer: (queryPtr: number, rowBytes: number) => (rowPtr: number) => number): RowsKernel {
    return (queryPtr, codesPtr, rowBytes, idsPtr, idCount, scoresPtr) => {
      const scoreOf = scorer(queryPtr, rowBytes)
      write(
        scoresPtr,
        Float32Array.from(words(idsPtr, idCount), (id) => scoreOf(codesPtr + id * rowBytes)),
      )
    }
  }

  return { scan, scoreRows }
}

/** The min(k, rows) rows of greatest score, best first, ties by lower row; a filter has a bit a row, LSB first. */
export function bestRows(scores: Scores, k: number, allowed?: Uint8Array): Uint32Array {
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

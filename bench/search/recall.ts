import type { QuantizedIndex, SearchOptions, SearchResult } from '../../src/index.js'
import type { Corpus } from './corpus.js'

/** Ids a query, and scores where they are known. */
export type Found = (query: number) => ArrayLike<number>

const K = 10

/** Share of the 10 best of an exact search that stand among the first 10 found. */
export function recallAt10(exact: readonly SearchResult[], found: Found, queries = exact.length): number {
  let hits = 0
  let wanted = 0
  for (let i = 0; i < queries; i++) {
    const best = new Set(exact[i]!.ids.subarray(0, K))
    const ids = found(i)
    for (let j = 0; j < Math.min(K, ids.length); j++) if (best.has(ids[j]!)) hits++
    wanted += best.size
  }
  return hits / wanted
}

export function searchAll(index: QuantizedIndex, corpus: Corpus, options: SearchOptions): SearchResult[] {
  return index.search({ data: corpus.queries, dims: [corpus.queries.length / corpus.dims, corpus.dims] }, options)
}

/** Sums of float32 in another order differ by about this much for unit vectors. */
const ROUNDING = 2e-6

/** Whether `ids` is the exact ranking but for neighbours whose scores differ by rounding. `exact` may be longer. */
export function sameRanking(exact: SearchResult, ids: ArrayLike<number>): boolean {
  const scores = new Map(Array.from(exact.ids, (id, i) => [id, exact.scores[i]!]))
  for (let i = 0; i < ids.length; i++) {
    const score = scores.get(ids[i]!)
    if (score === undefined || Math.abs(score - exact.scores[i]!) > ROUNDING) return false
  }
  return true
}

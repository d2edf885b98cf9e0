import type { CodeStore } from './code-store.js'
import type { Allowed } from './filter.js'
import { type Candidates, type ExactScores, openPass, type Queries } from './pass.js'
import type { CheckedSearchOptions } from './search-options.js'
import { cutBelow, emptyResult, type SearchResult } from './search-result.js'
import type { Stages } from './stages.js'

/**
 * Searches a store, or its `allowed` rows (all by default), in one or two stages, a batch of queries at a time. Float queries
 * are checked batch by batch.
 */
export function searchStore(
  store: CodeStore,
  queries: Queries,
  stages: Stages,
  options: Omit<CheckedSearchOptions, 'filter'>,
  argument: string,
  allowed?: Allowed,
): SearchResult[] {
  const { rows } = queries.rows
  if (store.size === 0) return Array.from({ length: rows }, emptyResult)
  const pass = openPass(store, queries, stages, options, argument, allowed)
  const results: SearchResult[] = []
  pass.forEachBatch((first, count) => results.push(...pass.run(first, count)))
  return results.map((result) => cutBelow(result, options.minScore))
}

/**
 * The two stages apart, for a store that holds a part of the rows: whoever has the candidates of all parts keeps those that
 * one store would have found, and only they are rescored. The store must not change between the two.
 */
export function openStages(...args: Parameters<typeof openPass>): {
  scan(): Candidates
  /** `counts`: candidates a query; `ids`: the candidates, one query's behind the other's, in ascending order each. */
  rescore(counts: Uint32Array, ids: Uint32Array): ExactScores
} {
  const pass = openPass(...args)
  return { scan: () => pass.scan(), rescore: (counts, ids) => pass.rescore(counts, ids) }
}

import type { CodeStore } from './code-store.js'
import { type Candidates, type ExactScores, openPass, type Queries } from './pass.js'
import type { SearchOptions } from './search-options.js'
import type { SearchResult } from './search-result.js'
import type { Stages } from './stages.js'

/** Searches a store in one or two stages, a batch of queries at a time. Float queries are checked batch by batch. */
export function searchStore(
  store: CodeStore,
  queries: Queries,
  stages: Stages,
  options: Required<SearchOptions>,
  argument: string,
): SearchResult[] {
  const { rows } = queries.rows
  if (store.size === 0)
    return Array.from({ length: rows }, () => ({ ids: new Uint32Array(0), scores: new Float32Array(0) }))
  const pass = openPass(store, queries, stages, options, argument)
  const results: SearchResult[] = []
  pass.forEachBatch((first, count) => results.push(...pass.run(first, count)))
  return results
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

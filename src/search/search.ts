import type { Allowed } from '../rows/filter.js'
import type { CodeStore } from './code-store.js'
import type { ListScores } from './cut.js'
import { pickQueries, type Queries } from './queries.js'
import type { ExactScores, SearchJob } from './search-job.js'
import type { CheckedSearchOptions } from './search-options.js'
import { cutBelow, emptyResult, type SearchResult } from './search-result.js'
import { firstStage, type Stages } from './stages.js'
import { ALL_ROWS, TwoStageSearch } from './two-stage.js'

/** What the first stage finds in one of several stores: `count` rows a query, best first, ties by lower row. */
export interface Candidates extends ListScores {
  /** Candidates that a query keeps over all stores; `count` is this or the rows of the store that may be found. */
  readonly wanted: number
  readonly ids: Uint32Array<ArrayBuffer>
  /** Distances and floats are final scores where nothing rescores them; integers are there to be compared. */
  readonly scores: Int32Array<ArrayBuffer>
  /** Whether another stage decides among the candidates; otherwise they are the results of this store. */
  readonly rescored: boolean
}

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
  const results = resultsOf({ store, queries, stages, options, argument, allowed })
  return results.map((result) => cutBelow(result, options.minScore))
}

/** The two stages apart, for a store that holds a part of the rows. The store must not change between the two. */
export function openStages(job: SearchJob): {
  /**
   * Results of this part where its first stage is final, otherwise candidates: whoever has those of all parts keeps what one
   * store would have found, and only they are rescored.
   */
  scan(): Candidates
  /** `counts`: candidates a query; `ids`: the candidates, one query's behind the other's, in ascending order each. */
  rescore(counts: Uint32Array, ids: Uint32Array): ExactScores
} {
  if (firstStage(job.stages, job.options.scoring).isFinal) {
    return {
      scan: () => packResults(resultsOf(job)),
      rescore: () => ({ scores: new Float32Array(0), constants: new Float64Array(0) }),
    }
  }
  const search = new TwoStageSearch(job)
  return {
    scan: () => findCandidates(job, search),
    rescore: (counts, ids) => search.rescore(counts, ids),
  }
}

/** All results, with more effort for queries whose answer is not sure with less. */
function resultsOf(job: SearchJob): SearchResult[] {
  const results: SearchResult[] = []
  const { rows } = job.queries.rows
  if (job.store.size === 0) return Array.from({ length: rows }, emptyResult)
  let open = new Map<number, number[] | undefined>([[0, undefined]])
  while (open.size > 0) {
    const next = new Map<number, number[]>()
    for (const [effort, picked] of open) {
      const queries = picked === undefined ? job.queries : pickQueries(job.queries, picked)
      const search = new TwoStageSearch({ ...job, queries }, effort)
      search.forEachBatch((first, count) => {
        for (const [i, answer] of search.run(first, count).entries()) {
          const query = picked?.[first + i] ?? first + i
          if (typeof answer !== 'number') results[query] = answer
          else next.set(answer, [...(next.get(answer) ?? []), query])
        }
      })
    }
    open = next
  }
  return results
}

function packResults(results: readonly SearchResult[]): Candidates {
  const count = results[0]?.ids.length ?? 0
  const ids = new Uint32Array(count * results.length)
  const scores = new Int32Array(count * results.length)
  for (const [i, result] of results.entries()) {
    ids.set(result.ids, i * count)
    scores.set(new Int32Array((result.distances ?? result.scores).buffer as ArrayBuffer), i * count)
  }
  const scoreType = results[0]?.distances === undefined ? 'float' : 'distance'
  return { wanted: count, count, ids, scores, scoreType, rescored: false }
}

function findCandidates(job: SearchJob, search: TwoStageSearch): Candidates {
  const { wanted, count } = search.candidates
  const total = count * job.queries.rows.rows
  const [ids, scores] = [new Uint32Array(total), new Int32Array(total)]
  const blurred: number[] = []
  search.forEachBatch((first, queryCount) =>
    search.scan(first, queryCount, (query, rows, found) =>
      rows === undefined ? blurred.push(query) : put(query, rows, found!),
    ),
  )
  if (blurred.length > 0) {
    const all = new TwoStageSearch({ ...job, queries: pickQueries(job.queries, blurred) }, ALL_ROWS)
    all.forEachBatch((first, queryCount) =>
      all.scan(first, queryCount, (query, rows, found) => put(blurred[query]!, rows!, found!)),
    )
  }
  return { wanted, count, ids, scores, scoreType: search.scoreType, rescored: true }

  function put(query: number, rows: Uint32Array, found: Int32Array): void {
    ids.set(rows, count * query)
    scores.set(found, count * query)
  }
}

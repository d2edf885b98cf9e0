import { type Cut, cutQuery, type FoundLists } from './cut.js'
import type { Candidates } from './search.js'
import type { ExactScores } from './search-job.js'
import { best, distanceResult, emptyResult, type SearchResult } from './search-result.js'

/** What rows of a shard are called in the whole: the lower row has the lower id. */
export interface RowIds {
  toIds(shard: number, rows: Uint32Array): Uint32Array
}

/** Candidates of a scan that survived the cut: how many of each query, and their rows in the shard, rising. */
export interface RescoreCall {
  readonly counts: Uint32Array
  readonly ids: Uint32Array
}

/** The first stage of a search over several shards. */
export interface ShardScans {
  readonly shards: readonly number[]
  /** What each of these shards found. */
  readonly candidates: readonly Candidates[]
  readonly map: RowIds
  /** What is added to the rescored scores of each query; those of a final first stage have it. */
  readonly offsets: Float64Array
  readonly topK: number
  /** Rows that may be found, over all shards. */
  readonly rows: number
}

/**
 * The results of a search over several shards: where a second stage decides, the candidates of all shards are cut to those that
 * one index would have found, since rescoring each shard's own would be another search. Otherwise each shard has the best of
 * its rows, and the best of these are the best of all. `rescore` is called at once.
 */
export async function mergeShards(
  { shards, candidates, map, offsets, topK, rows }: ShardScans,
  rescore: (calls: readonly { readonly shard: number; readonly call: RescoreCall }[]) => Promise<ExactScores[]>,
): Promise<SearchResult[]> {
  const found = shards.map((shard, i) => foundIn(shard, candidates[i]!, map))
  const { wanted, rescored } = found[0]!.candidates
  const results = Math.min(topK, rows)
  const kept = rescored ? Math.min(wanted, rows) : results
  const cuts = Array.from(offsets, (_, query) => cutQuery(found, query, kept))
  if (rescored && kept === 0) return Array.from(offsets, emptyResult)
  if (!rescored) return cuts.map((cut) => finalResult(found, cut))
  const calls = shards
    .map((shard, i) => ({ shard, call: survivorsOf(found, i, cuts) }))
    .filter(({ call }) => call.ids.length > 0)
  const exact = await rescore(calls)
  const answers = calls.map((asked, i) => ({ ...asked, exact: exact[i]! }))
  return rescoredResults(answers, map, (query) => offsets[query]!, results)
}

/** What one shard found in the first stage; `ids` are global, `rows` the same in the shard. */
interface Found extends FoundLists {
  readonly shard: number
  readonly candidates: Candidates
}

function foundIn(shard: number, candidates: Candidates, map: RowIds): Found {
  return { shard, candidates, ids: map.toIds(shard, candidates.ids) }
}

/** The result of a query whose first stage is final. */
function finalResult(found: readonly Found[], { from, at }: Cut): SearchResult {
  const ids = new Uint32Array(from.length)
  const bits = new Int32Array(from.length)
  for (let i = 0; i < from.length; i++) {
    const { ids: shardIds, candidates } = found[from[i]!]!
    ids[i] = shardIds[at[i]!]!
    bits[i] = candidates.scores[at[i]!]!
  }
  const isDistance = found[0]!.candidates.scoreType === 'distance'
  return isDistance ? distanceResult(ids, new Uint32Array(bits.buffer)) : { ids, scores: new Float32Array(bits.buffer) }
}

/** The candidates left in one shard, query by query, rows ascending: memory is walked one way. */
function survivorsOf(found: readonly Found[], entry: number, cuts: readonly Cut[]): RescoreCall {
  const { candidates } = found[entry]!
  const lists = cuts.map(({ from, at }) =>
    at.filter((_, i) => from[i] === entry).map((place) => candidates.ids[place]!),
  )
  const ids = new Uint32Array(lists.reduce((sum, { length }) => sum + length, 0))
  let end = 0
  for (const list of lists) {
    ids.set(list.sort(), end)
    end += list.length
  }
  return { counts: Uint32Array.from(lists, ({ length }) => length), ids }
}

/** What a shard was asked to rescore, and its answer. */
interface Rescored {
  readonly shard: number
  readonly call: RescoreCall
  readonly exact: ExactScores
}

/** The results of all queries, from the exact scores of their candidates. */
function rescoredResults(
  rescored: readonly Rescored[],
  map: RowIds,
  offset: (query: number) => number,
  topK: number,
): SearchResult[] {
  const queries = rescored[0]!.call.counts.length
  const parts = rescored.map(({ shard, call, exact }) => ({
    ...call,
    ...exact,
    all: map.toIds(shard, call.ids),
    end: 0,
  }))
  return Array.from({ length: queries }, (_, query) => {
    const total = parts.reduce((sum, { counts }) => sum + counts[query]!, 0)
    const ids = new Uint32Array(total)
    const scores = new Float32Array(total)
    let length = 0
    for (const part of parts) {
      const next = part.end + part.counts[query]!
      ids.set(part.all.subarray(part.end, next), length)
      scores.set(part.scores.subarray(part.end, next), length)
      length += next - part.end
      part.end = next
    }
    // What is added to all scores of a query is the query's own, the same in every shard. It comes before the order, for it
    // may make scores equal.
    const constant = parts[0]!.constants[query]! + offset(query)
    return best(
      ids,
      scores.map((score) => score + constant),
      topK,
    )
  })
}

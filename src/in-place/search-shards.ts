import type { Allowed } from '../rows/filter.js'
import { type RowSource, readRows, toRows } from '../rows/matrix.js'
import { mergeShards, type RowIds } from '../search/merge.js'
import type { Queries } from '../search/queries.js'
import { openStages } from '../search/search.js'
import type { ExactScores } from '../search/search-job.js'
import type { CheckedSearchOptions } from '../search/search-options.js'
import { cutBelow, distanceResult, emptyResult, type SearchResult } from '../search/search-result.js'
import { firstStage, type Stages } from '../search/stages.js'
import { transformQueries } from '../search/transform-queries.js'
import { exactScores } from './exact-scores.js'
import type { RowScorer } from './row-scorer.js'
import type { StoredShard } from './shard.js'

/** What a batch of queries is searched in. */
export interface SearchedShards {
  readonly shards: readonly StoredShard[]
  readonly stages: Stages
  readonly scorer: RowScorer | undefined
}

export interface BatchOptions extends Omit<CheckedSearchOptions, 'filter'> {
  /** Rows of each shard that may be found; undefined: all. */
  readonly allowed: readonly (Allowed | undefined)[]
  readonly signal: AbortSignal
}

/**
 * Searches a batch of queries. The first stage and what is rescored in memory run before this returns, without a pause: the
 * scratch of a store belongs to one search at a time. What the promise waits for are reads.
 */
export async function searchShards(
  { shards, stages, scorer }: SearchedShards,
  source: RowSource,
  options: BatchOptions,
): Promise<SearchResult[]> {
  const { allowed, signal, minScore, ...stageOptions } = options
  const rowsIn = (shard: number) => allowed[shard]?.count ?? shards[shard]!.rows
  const searched = Array.from(shards.keys()).filter((shard) => rowsIn(shard) > 0)
  const queries = readQueries(source, shards[0]!)
  const { isFinal, givesDistances } = firstStage(stages, options.scoring)
  if (searched.length === 0 || source.rows === 0) {
    const none = givesDistances ? () => distanceResult(new Uint32Array(0), new Uint32Array(0)) : emptyResult
    return Array.from({ length: source.rows }, none)
  }
  const onDisk = scorer !== undefined && !isFinal
  const passes = searched.map((shard) => {
    const { store } = shards[shard]!
    return openStages({
      ...{ store, queries, stages, options: stageOptions, argument: 'query', allowed: allowed[shard] },
      isRescoredElsewhere: onDisk,
    })
  })
  const candidates = passes.map((pass) => pass.scan())
  const rows = searched.reduce((sum, shard) => sum + rowsIn(shard), 0)
  const scans = {
    shards: searched,
    candidates,
    map: rowIds(shards),
    offsets: queries.offsets,
    topK: options.topK,
    rows,
  }
  const results = await mergeShards(scans, (calls) =>
    Promise.all(
      calls.map(async ({ shard, call }): Promise<ExactScores> => {
        if (!onDisk) return passes[searched.indexOf(shard)]!.rescore(call.counts, call.ids)
        return exactScores(shards[shard]!.onDisk!, scorer, queries.rows as RowSource, call, signal)
      }),
    ),
  )
  return results.map((result) => cutBelow(result, minScore))
}

/** Queries as the codes see them, rotated once. @throws PackvecError NOT_FINITE */
function readQueries(source: RowSource, { transform }: StoredShard): Queries & { offsets: Float64Array } {
  const { rows, centred, offset } = transformQueries(source, transform)
  const flat = (rows: RowSource) => {
    const { values, dims } = readRows([rows], 'query')
    return toRows({ data: values, dims: [rows.rows, dims] }, 'query')
  }
  const offsets = Float64Array.from({ length: source.rows }, (_, row) => offset?.(row) ?? 0)
  return { rows: flat(rows as RowSource), centred: centred && flat(centred), offset, offsets }
}

/** Rows counted from the first shard's first. */
function rowIds(shards: readonly StoredShard[]): RowIds {
  const firsts = firstRows(shards)
  const toIds = (shard: number, rows: Uint32Array) => {
    const first = firsts[shard]!
    return first === 0 ? rows : rows.map((row) => row + first)
  }
  return { toIds }
}

/** The row of each shard's first among all, and behind the last the number of all. */
export function firstRows(shards: readonly { readonly rows: number }[]): number[] {
  const firsts = [0]
  for (const { rows } of shards) firsts.push(firsts.at(-1)! + rows)
  return firsts
}

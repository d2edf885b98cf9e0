import { checkCount, checkFactor, checkFinite } from '../base/check.js'
import type { OptionChecks } from '../base/options.js'
import type { Precision } from '../codes/precision.js'
import { copyFilter, type Filter, type FilterRows } from '../rows/filter.js'
import type { Scoring } from './forms/form.js'
import { checkScoring } from './stages.js'

/** How many results, found among which rows, and how. */
export interface SearchOptions {
  /** Results a query, 10 by default; more than there are rows gives the rows. */
  readonly topK?: number
  /** The first stage finds topK · rescoreMultiplier candidates for the second to choose from; 4 by default. */
  readonly rescoreMultiplier?: number
  /**
   * 'symmetric' compares codes with codes in the first stage (Hamming distance; dot of integer codes), 'asymmetric' the float
   * query with codes. By default bits are symmetric and all other codes asymmetric: raw 8-bit codes of dimensions with
   * different ranges misrank.
   */
  readonly scoring?: Scoring
  /**
   * The rows that may be found, for all queries of the call: their ids, or `{ bits }` with a bit a row. The others are never
   * candidates: results are those of an index of the allowed rows alone, with the same ranges and levels.
   */
  readonly filter?: Filter
  /** Results of a lower score are left out, so that there may be fewer than topK. Scores are those of the result. */
  readonly minScore?: number
}

export const SEARCH_CHECKS: OptionChecks<SearchOptions> = {
  topK: true,
  rescoreMultiplier: true,
  scoring: true,
  filter: true,
  minScore: true,
}

/** What the two stages go by. */
export type StageOptions = Required<Pick<SearchOptions, 'topK' | 'rescoreMultiplier' | 'scoring'>>

export interface CheckedSearchOptions extends StageOptions {
  readonly filter: FilterRows | undefined
  /** -Infinity where nothing is left out. */
  readonly minScore: number
}

/** Checks the options and fills in their defaults; `allowedRows` then holds the filter against the rows there are. */
export function checkSearchOptions(options: SearchOptions, coarse: Precision): CheckedSearchOptions {
  const { topK = 10, rescoreMultiplier = 4, scoring, filter, minScore } = options
  return {
    topK: checkCount(topK, 'topK'),
    rescoreMultiplier: checkFactor(rescoreMultiplier, 'rescoreMultiplier'),
    scoring: checkScoring(scoring, coarse),
    filter: filter === undefined ? undefined : copyFilter(filter),
    minScore: minScore === undefined ? -Infinity : checkFinite(minScore, 'minScore'),
  }
}

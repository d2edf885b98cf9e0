import { checkCount, checkFactor, checkOneOf } from './check.js'
import { type Precision, precisionKind } from './precision.js'
import type { Scoring } from './scans.js'

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
}

/** Reads topK, rescoreMultiplier and scoring, and fills in their defaults. */
export function checkSearchOptions(options: SearchOptions, coarse: Precision): Required<SearchOptions> {
  const bits = precisionKind(coarse) === 'bits'
  const { topK = 10, rescoreMultiplier = 4, scoring = bits ? 'symmetric' : 'asymmetric' } = options
  return {
    topK: checkCount(topK, 'topK'),
    rescoreMultiplier: checkFactor(rescoreMultiplier, 'rescoreMultiplier'),
    scoring: checkOneOf(scoring, ['symmetric', 'asymmetric'], 'scoring'),
  }
}

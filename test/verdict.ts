import type { SearchOptions, SearchResult } from '../src/index.js'
import type { Oracle } from './file-oracle.js'
import { ranking } from './oracle.js'

/** What float64 says of a result. */
export interface Verdict {
  /** What is wrong with it; undefined where nothing is. */
  readonly fault: string | undefined
  /**
   * Whether it is as good, place by place, as that of two stages without any rounding: a first stage that rounds may leave out a
   * candidate that is as good as the last one to its rounding.
   */
  readonly isAsGood: boolean
}

/** Holds a result against float64 scores, as far as float32 can tell them. */
export function judge(result: SearchResult, oracle: Oracle, query: Float32Array, options: SearchOptions): Verdict {
  const { coarse, rescore, rows } = oracle
  const { topK = 10, rescoreMultiplier = 4, filter } = options
  const isBits = coarse === 'binary' || coarse === 'ubinary'
  const given = options.scoring ?? (isBits ? 'symmetric' : 'asymmetric')
  const scoring = coarse === 'float32' ? 'asymmetric' : given
  const allowed = Array.from(filter === undefined ? Array(rows).keys() : (filter as readonly number[]))
  const isFinal = rescore === 'none' || (scoring === 'asymmetric' && oracle.areOneKind(coarse, rescore))
  const last = isFinal ? coarse : rescore
  const first = scoring === 'symmetric' ? oracle.symmetric(query) : oracle.asymmetric(query, coarse)
  const scores = isFinal ? first : oracle.asymmetric(query, last)
  /** Whole numbers, in which nothing is rounded. */
  const isExact = scoring === 'symmetric' && coarse !== 'int4'
  const rounding =
    isFinal && isExact
      ? scores.map((score) => Math.abs(score) * 2 ** -24)
      : oracle.rounding(query, last, isFinal ? scoring : 'asymmetric')
  const count = Math.min(topK, allowed.length)
  const fault = faultOf(result, count, new Set(allowed), scores, rounding)
  if (fault !== undefined) return { fault, isAsGood: false }

  const candidates = isFinal ? allowed : best(allowed, first).slice(0, Math.ceil(topK * rescoreMultiplier))
  const right = best(candidates, scores)
  for (let i = 0; i < count; i++) {
    const [found, expected] = [result.ids[i]!, right[i]!]
    const slack = rounding[found]! + rounding[expected]!
    const lack = scores[expected]! - scores[found]!
    const place = `place ${i} has row ${found} of ${scores[found]}, right is row ${expected} of ${scores[expected]}`
    if (lack > slack) return { fault: isFinal || isExact ? place : undefined, isAsGood: false }
    // More candidates than were asked for are found only where the first stage rounds.
    if (-lack > slack && (isFinal || isExact)) return { fault: place, isAsGood: false }
  }
  return { fault: undefined, isAsGood: true }
}

/** Scores that are not those of their rows, rows that may not be found, or that stand in another order. */
function faultOf(
  { ids, scores: found }: SearchResult,
  count: number,
  allowed: ReadonlySet<number>,
  scores: Float64Array,
  rounding: Float64Array,
): string | undefined {
  if (ids.length !== count || found.length !== count) return `${ids.length} results, expected ${count}`
  if (new Set(ids).size < count) return `a row comes twice: ${ids}`
  for (let i = 0; i < count; i++) {
    const [id, score] = [ids[i]!, found[i]!]
    if (!allowed.has(id)) return `row ${id} may not be found`
    if (!(Math.abs(score - scores[id]!) <= rounding[id]!)) return `row ${id} has the score ${score}, not ${scores[id]}`
    if (i === 0) continue
    const before = found[i - 1]!
    if (before < score || (before === score && ids[i - 1]! > id)) return `place ${i} is out of order: ${ids}; ${found}`
  }
  return undefined
}

function best(rows: readonly number[], scores: Float64Array): number[] {
  return ranking(rows.map((row) => scores[row]!)).map((at) => rows[at]!)
}

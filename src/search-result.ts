import type { Scan } from './scans.js'

/**
 * Best first, ties by lower id; arrays of min(topK, rows that may be found) that belong to the caller, or shorter ones where
 * a `minScore` cuts them.
 */
export interface SearchResult {
  readonly ids: Uint32Array
  /** Higher is better: a dot product, or minus the Hamming distance where bits were not rescored. */
  readonly scores: Float32Array
  /** Hamming distances, where they are the score. */
  readonly distances?: Uint32Array
}

/** What the scores of a first stage are. */
export type ScoreForm = Pick<Scan, 'scoreType' | 'scoreUnit'>

/** A scan's scores as a result has them; `offset` is added to those of a float query. */
export function scanScores(
  { scoreType, scoreUnit = 1 }: ScoreForm,
  bits: Int32Array<ArrayBuffer>,
  offset: number,
): Omit<SearchResult, 'ids'> {
  if (scoreType === 'integer') return { scores: new Float32Array(bits).map((score) => score / scoreUnit) }
  if (scoreType === 'float') {
    return { scores: new Float32Array(bits.buffer, bits.byteOffset, bits.length).map((score) => score + offset) }
  }
  const distances = new Uint32Array(bits)
  const scores = new Float32Array(bits.length)
  for (let i = 0; i < scores.length; i++) scores[i] = 0 - distances[i]!
  return { scores, distances }
}

export function emptyResult(): SearchResult {
  return { ids: new Uint32Array(0), scores: new Float32Array(0) }
}

/** The results from `minScore` up. */
export function cutBelow(result: SearchResult, minScore: number): SearchResult {
  const { ids, scores, distances } = result
  let count = scores.length
  while (count > 0 && scores[count - 1]! < minScore) count--
  if (count === scores.length) return result
  const kept = { ids: ids.slice(0, count), scores: scores.slice(0, count) }
  return distances === undefined ? kept : { ...kept, distances: distances.slice(0, count) }
}

/** The `topK` best of rescored candidates, ties by lower id. */
export function best(ids: Uint32Array, scores: Float32Array, constant: number, topK: number): SearchResult {
  const order = Array.from(ids.keys()).sort((a, b) => scores[b]! - scores[a]! || ids[a]! - ids[b]!)
  const result = { ids: new Uint32Array(topK), scores: new Float32Array(topK) }
  for (let i = 0; i < topK; i++) {
    result.ids[i] = ids[order[i]!]!
    result.scores[i] = scores[order[i]!]! + constant
  }
  return result
}

import type { Scan } from './forms/form.js'

/**
 * Best first, ties by the order of rows; arrays of min(topK, rows that may be found) that belong to the caller, or shorter ones where
 * a `minScore` cuts them.
 */
export interface SearchResult {
  /** Row numbers in the order of adding; the user's numbers, where a file that was opened or loaded has them. */
  readonly ids: Uint32Array
  /** Higher is better: a dot product, or minus the Hamming distance where bits were not rescored. */
  readonly scores: Float32Array
  /** Hamming distances, where they are the score. */
  readonly distances?: Uint32Array
  /** The user's texts, where a file that was opened or loaded has texts. */
  readonly keys?: readonly string[]
}

/** Final scores of a scan's integers; a result has them as float32. */
export function integerScores(
  { scoreUnit = 1, scoreStart = 0 }: Pick<Scan, 'scoreUnit' | 'scoreStart'>,
  sums: Int32Array,
): Float32Array<ArrayBuffer> {
  const scores = new Float32Array(sums.length)
  for (let i = 0; i < sums.length; i++) scores[i] = (sums[i]! - scoreStart) / scoreUnit
  return scores
}

/** A result whose scores are distances. */
export function distanceResult(ids: Uint32Array, distances: Uint32Array): SearchResult {
  const scores = new Float32Array(distances.length)
  // 0 less the distance, for -0 would be another score.
  for (let i = 0; i < distances.length; i++) scores[i] = 0 - distances[i]!
  return { ids, scores, distances }
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

/** The `topK` best by final scores, ties by lower id. */
export function best(ids: Uint32Array, scores: Float32Array, topK: number): SearchResult {
  const order = Uint32Array.from(ids.keys()).sort((a, b) => scores[b]! - scores[a]! || ids[a]! - ids[b]!)
  const first = order.subarray(0, topK)
  return { ids: first.map((i) => ids[i]!), scores: Float32Array.from(first, (i) => scores[i]!) }
}

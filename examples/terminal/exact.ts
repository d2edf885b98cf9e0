/** Exact search as a plain loop, the measure of everything else: independent of the library, sums in double precision. */
export function exactTopK(query: Float32Array, corpus: Float32Array, k: number): { ids: number[]; scores: number[] } {
  const dims = query.length
  const scores = Array.from({ length: corpus.length / dims }, (_, row) => {
    let sum = 0
    for (let d = 0; d < dims; d++) sum += query[d]! * corpus[row * dims + d]!
    return sum
  })
  const order = Array.from(scores.keys()).sort((a, b) => scores[b]! - scores[a]! || a - b)
  const ids = order.slice(0, k)
  return { ids, scores: ids.map((id) => scores[id]!) }
}

/** The share of the exact neighbours that were found: recall@k for k = exact.length. */
export function recall(found: ArrayLike<number>, exact: readonly number[]): number {
  const ids = new Set(Array.from(found))
  return exact.filter((id) => ids.has(id)).length / exact.length
}

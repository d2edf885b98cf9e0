/** The scores of `count` rows for each query, one query's behind the other's, best first, ties by lower id. */
export interface ListScores {
  readonly count: number
  /** 32 bits a score, by `scoreType`: uint32, int32 or float32. */
  readonly scores: Int32Array
  readonly scoreType: 'distance' | 'integer' | 'float'
}

/** What one part of the rows found: a shard, or a range of rows. */
export interface FoundLists {
  /** Ids that compare over all parts. */
  readonly ids: Uint32Array
  readonly candidates: ListScores
}

/** Candidates of one query that one store with all rows would have found, best first. */
export interface Cut {
  /** For each of them its part, and its place in the lists of that part. */
  readonly from: Uint16Array
  readonly at: Uint32Array
}

/** The `count` best of what all parts found for a query, ties by lower id: lists in order, merged from their heads. */
export function cutQuery(found: readonly FoundLists[], query: number, count: number): Cut {
  if (found.length === 1) {
    const first = query * found[0]!.candidates.count
    return { from: new Uint16Array(count), at: new Uint32Array(count).map((_, i) => first + i) }
  }
  const keys = found.map(({ candidates }) => sortKeys(candidates, query))
  const heads = found.map(() => 0)
  const from = new Uint16Array(count)
  const at = new Uint32Array(count)
  for (let i = 0; i < count; i++) {
    let chosen = -1
    for (let part = 0; part < found.length; part++) {
      if (heads[part]! >= found[part]!.candidates.count) continue
      if (chosen < 0 || comesFirst(part, chosen)) chosen = part
    }
    from[i] = chosen
    at[i] = query * found[chosen]!.candidates.count + heads[chosen]!++
  }
  return { from, at }

  function comesFirst(a: number, b: number): boolean {
    const difference = keys[b]![heads[b]!]! - keys[a]![heads[a]!]!
    if (difference !== 0) return difference < 0
    return idAtHead(a) < idAtHead(b)
  }

  function idAtHead(part: number): number {
    const { ids, candidates } = found[part]!
    return ids[query * candidates.count + heads[part]!]!
  }
}

/** Scores of a query's candidates as numbers of which the higher is better. */
function sortKeys({ scores, count, scoreType }: ListScores, query: number): Float64Array {
  const bits = scores.subarray(query * count, (query + 1) * count)
  if (scoreType === 'distance') return Float64Array.from(bits, (distance) => -distance)
  return new Float64Array(scoreType === 'float' ? new Float32Array(bits.buffer, bits.byteOffset, count) : bits)
}

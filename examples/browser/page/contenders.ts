import { type BuildOptions, QuantizedIndex, type SearchResult } from 'packvec'
import { Rotation } from 'packvec/rotations'

export const TOP_K = 10

export interface Contender {
  readonly name: string
  /** Short, for marks of a plot. */
  readonly label: string
  readonly build: BuildOptions
  readonly rescored?: boolean
}

/** The ways to keep the same embeddings that the page compares: the first is exact and the measure of the others. */
export const CONTENDERS: readonly Contender[] = [
  { name: 'float32, exact', label: 'float32', build: { coarse: 'float32', rescore: 'none' } },
  { name: 'int8', label: 'int8', build: { coarse: 'int8', rescore: 'none' } },
  { name: 'binary, int8 rescores', label: 'binary + int8', build: {}, rescored: true },
  {
    name: 'quaternary, rotated, scaled',
    label: 'quaternary, rotated',
    build: { coarse: 'quaternary', rescore: 'none', scale: true, rotation: Rotation.hadamard(384, { seed: 1 }) },
  },
  { name: 'ternary', label: 'ternary', build: { coarse: 'ternary', rescore: 'none' } },
  { name: 'binary', label: 'binary', build: { coarse: 'binary', rescore: 'none' } },
]

/** A contender over the corpus. */
export class Candidate {
  readonly contender: Contender
  readonly index: QuantizedIndex

  constructor(contender: Contender, embeddings: Float32Array, dims: number) {
    this.contender = contender
    this.index = QuantizedIndex.build(embeddings, { ...contender.build, dims })
  }

  get bytesPerVector(): number {
    return this.index.codeBytes / this.index.size
  }

  search(query: Float32Array, rescoreMultiplier: number): SearchResult {
    return this.index.search(query, { topK: TOP_K, rescoreMultiplier })
  }

  searchAll(queries: readonly Float32Array[], rescoreMultiplier: number): SearchResult[] {
    return this.index.search(queries, { topK: TOP_K, rescoreMultiplier })
  }
}

/** How many of the exact rows were found. */
export function overlap(found: SearchResult, exact: SearchResult): number {
  const ids = new Set(found.ids)
  return exact.ids.filter((id) => ids.has(id)).length
}

/** The share of the exact rows that was found, over all queries. */
export function recall(found: readonly SearchResult[], exact: readonly SearchResult[]): number {
  const shared = found.reduce((sum, result, i) => sum + overlap(result, exact[i]!), 0)
  return shared / exact.reduce((sum, { ids }) => sum + ids.length, 0)
}

import { expect } from 'vitest'
import type { SearchResult } from '../src/index.js'

/** What a search has to find, by plain loops in float64: the oracle of every test that ranks rows. */

/** Dot products of a query with every row. */
export function dots(query: ArrayLike<number>, rows: ArrayLike<number>, dims: number): Float64Array {
  const sums = new Float64Array(rows.length / dims)
  for (let row = 0; row < sums.length; row++) {
    let sum = 0
    for (let d = 0; d < dims; d++) sum += query[d]! * rows[row * dims + d]!
    sums[row] = sum
  }
  return sums
}

/** Bits that differ between a query and every row of `query.length` bytes. */
export function hammingDistances(query: Uint8Array, rows: Uint8Array): Float64Array {
  const distances = new Float64Array(rows.length / query.length)
  for (let i = 0; i < rows.length; i++) {
    const row = Math.floor(i / query.length)
    for (let bits = query[i - row * query.length]! ^ rows[i]!; bits !== 0; bits &= bits - 1) distances[row]!++
  }
  return distances
}

/** The numbers of the best rows by falling score, ties by lower row. */
export function ranking(scores: ArrayLike<number>, count = scores.length): number[] {
  const rows = Array.from({ length: scores.length }, (_, row) => row)
  return rows.sort((a, b) => scores[b]! - scores[a]! || a - b).slice(0, count)
}

interface Bounds {
  readonly title?: string
  readonly allowed?: ReadonlySet<number> | undefined
  /** How far float32 scores may be from those of float64; by default 1e-5 of the largest. */
  readonly rounding?: number
}

/**
 * Expects the k best rows, by float64 scores, as far as float32 can tell them: a row that is left out is no better than the
 * last one by more than the rounding, scores are right to the rounding, best first, ties by lower id.
 */
export function expectBest(
  result: SearchResult,
  scores: ArrayLike<number>,
  k: number,
  { title = 'search', allowed, rounding = 1e-5 * magnitude(scores) }: Bounds = {},
): void {
  const all = Float64Array.from(scores)
  const sorted = (allowed === undefined ? all : all.filter((_, row) => allowed.has(row))).sort()
  const count = Math.min(k, sorted.length)
  expect(result.ids.length, title).toBe(count)
  expect(new Set(result.ids).size, title).toBe(count)
  for (let i = 0; i < count; i++) {
    const [id, found] = [result.ids[i]!, result.scores[i]!]
    const [own, best] = [scores[id]!, sorted.at(-1 - i)!]
    if (allowed?.has(id) === false) expect.fail(`${title}: row ${id} is not allowed`)
    if (!(Math.abs(found - own) <= rounding)) expect.fail(`${title}: row ${id} has ${found}, not ${own}`)
    if (!(Math.abs(found - best) <= rounding)) expect.fail(`${title}: place ${i} has ${found}, not ${best}`)
    if (!(Math.abs(own - best) <= rounding)) expect.fail(`${title}: place ${i} has row ${id} of ${own}, not ${best}`)
    if (i === 0) continue
    const before = result.scores[i - 1]!
    if (before < found || (before === found && result.ids[i - 1]! > id)) {
      expect.fail(`${title}: place ${i} is out of order`)
    }
  }
}

function magnitude(scores: ArrayLike<number>): number {
  return Array.from(scores).reduce((most, score) => Math.max(most, Math.abs(score)), 1e-30)
}

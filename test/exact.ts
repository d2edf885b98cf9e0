import { expect } from 'vitest'
import type { QuantizeOptions } from '../src/index.js'
import { dequantizeEmbeddings, type Precision, quantizeEmbeddings, type SearchResult } from '../src/index.js'
import { randomSource, unitRows } from './random.js'

/** Kinds of data on which a rounded scan is put to the test. */
export const DATA = [
  'plain',
  'uneven 0.3',
  'uneven 1',
  'outlier',
  'outliers',
  'constant',
  'zero rows',
  'ties',
  'decaying',
]
export type Kind = (typeof DATA)[number]

/** Rows of a kind: what stands in a dimension and what a row is multiplied by. */
export function rowsOf(kind: string, rows: number, dims: number, seed: number): Float32Array<ArrayBuffer> {
  const data = unitRows(rows, dims, seed)
  const random = randomSource(seed + 1)
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
  const spread = { 'uneven 0.3': 0.3, 'uneven 1': 1 }[kind] ?? 0
  for (let row = 0; row < rows; row++) {
    const vector = data.subarray(row * dims, (row + 1) * dims)
    if (kind === 'ties' && row > 0 && random() < 0.7) vector.set(data.subarray(0, dims * 1).subarray(0))
    if (kind === 'outlier') vector[Math.floor(dims / 3)]! *= 64
    if (kind === 'outliers') for (let d = 0; d < Math.min(5, dims); d++) vector[(d * 37) % dims]! *= 20 * (d + 1)
    if (kind === 'constant') vector[dims >> 1] = 20
    if (kind === 'zero rows' && row % 7 === 0) vector.fill(0)
    if (kind === 'decaying') for (let d = 0; d < dims; d++) vector[d]! *= Math.exp((-6 * d) / dims)
    const factor = Math.exp(spread * normal())
    for (let d = 0; d < dims; d++) vector[d]! *= factor
  }
  return data
}

/** Scores of float queries with all rows as their codes decode, in float64. */
export function trueScores(
  data: Float32Array,
  dims: number,
  queries: Float32Array,
  precision: Precision,
  options: QuantizeOptions,
): Float64Array[] {
  const codes = quantizeEmbeddings({ data, dims: [data.length / dims, dims] }, precision, options)
  // Without the factors, which float32 would round.
  const decoded = dequantizeEmbeddings({ ...codes, scales: undefined } as typeof codes).data
  const isBits = precision === 'binary' || precision === 'ubinary'
  return Array.from({ length: queries.length / dims }, (_, q) =>
    Float64Array.from({ length: codes.rows }, (_, row) => {
      let sum = 0
      for (let d = 0; d < dims; d++) {
        // Bits without a factor are summed as 1 and 0.
        const value =
          isBits && codes.scales === undefined ? (decoded[row * dims + d]! + 1) / 2 : decoded[row * dims + d]!
        sum += queries[q * dims + d]! * value
      }
      return sum * (codes.scales?.[row] ?? 1)
    }),
  )
}

/**
 * Expects the k best rows, by float64 scores, as far as float32 can tell them: a row that is left out is no better than the
 * last one by more than the rounding, scores are right to the rounding, best first, ties by lower id.
 */
export function expectBest(
  result: SearchResult,
  scores: Float64Array,
  k: number,
  title: string,
  allowed?: Set<number>,
): void {
  const rows = Array.from(scores.keys()).filter((row) => allowed?.has(row) ?? true)
  const magnitude = scores.reduce((most, score) => Math.max(most, Math.abs(score)), 1e-30)
  const rounding = 1e-5 * magnitude
  const sorted = rows.map((row) => scores[row]!).sort((a, b) => b - a)
  const count = Math.min(k, rows.length)
  expect(result.ids.length, title).toBe(count)
  expect(new Set(result.ids).size, title).toBe(count)
  for (let i = 0; i < count; i++) {
    const id = result.ids[i]!
    const found = result.scores[i]!
    if (Math.abs(found - scores[id]!) > rounding) expect.fail(`${title}: row ${id} has ${found}, not ${scores[id]}`)
    if (Math.abs(found - sorted[i]!) > rounding) expect.fail(`${title}: place ${i} has ${found}, not ${sorted[i]}`)
    if (i === 0) continue
    const before = result.scores[i - 1]!
    if (before < found || (before === found && result.ids[i - 1]! > id))
      expect.fail(`${title}: place ${i} is out of order`)
  }
}

import { verify } from '../measure.js'

/** Real embeddings to make a corpus of: rows of the corpus' first tile, and questions that are not among them. */
export interface Embedded {
  readonly name: string
  readonly dims: number
  readonly rows: Float32Array
  readonly questions: Float32Array
}

/** A corpus of any size that is made chunk by chunk: it never stands in memory as a whole. */
export interface Corpus {
  readonly rows: number
  readonly dims: number
  /** queryCount x dims. */
  readonly queries: Float32Array
  readonly what: string
  /** Rows `first` to `first + count`, unit length. The array is written again by the next call. */
  chunk(first: number, count: number): Float32Array
}

export const SEED = 20_261_122
const QUERY_STRIDE = 97
/** Length of the noise on a unit vector: a noisy copy has a cosine of about 0.9 with its origin. */
const NOISE = 0.5

/**
 * Real vectors tiled to `rows`: the first tile as it is, later tiles with seeded normal noise. Wider than the vectors, they
 * are turned into the wider space first, by random signs and a Hadamard transform, which keeps every dot product.
 */
export function tiledCorpus(embedded: Embedded, rows: number, dims: number, queryCount: number): Corpus {
  const base = widened(embedded.rows, embedded.dims, dims)
  const baseRows = base.length / dims
  const questions = widened(embedded.questions, embedded.dims, dims)
  const step = questions.length / dims / queryCount
  const queries = new Float32Array(queryCount * dims)
  for (let i = 0; i < queryCount; i++) {
    // Questions stand by topic: a stride that is prime to their number makes any first few of them cover all.
    const row = Math.floor(((i * QUERY_STRIDE) % queryCount) * step) * dims
    queries.set(questions.subarray(row, row + dims), i * dims)
  }
  let buffer = new Float32Array(0)
  const scale = NOISE / Math.sqrt(dims)
  return {
    rows,
    dims,
    queries,
    what: `${embedded.name}: ${baseRows} rows, tiled with noise of length ${NOISE}`,
    chunk(first, count) {
      if (buffer.length < count * dims) buffer = new Float32Array(count * dims)
      for (let i = 0; i < count; i++) {
        const from = ((first + i) % baseRows) * dims
        const row = buffer.subarray(i * dims, (i + 1) * dims)
        row.set(base.subarray(from, from + dims))
        if (first + i >= baseRows) addNoise(row, scale, first + i)
      }
      return buffer.subarray(0, count * dims)
    },
  }
}

/** Adds nearly normal noise (sums of four bytes of a xorshift word) and scales back to length 1. */
function addNoise(row: Float32Array, scale: number, seed: number): void {
  let x = (Math.imul(seed, 0x9e3779b9) ^ SEED) | 1
  // Four uniform bytes have mean 510 and standard deviation 147.8.
  const factor = scale / 147.8
  let squares = 0
  for (let d = 0; d < row.length; d++) {
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    const sum = (x & 255) + ((x >>> 8) & 255) + ((x >>> 16) & 255) + (x >>> 24)
    const value = row[d]! + (sum - 510) * factor
    row[d] = value
    squares += value * value
  }
  const inverse = 1 / Math.sqrt(squares)
  for (let d = 0; d < row.length; d++) row[d]! *= inverse
}

function widened(rows: Float32Array, from: number, to: number): Float32Array {
  if (from === to) return rows
  verify(from < to && Number.isInteger(Math.log2(to)), `cannot widen ${from} dimensions to ${to}`)
  const count = rows.length / from
  const wide = new Float32Array(count * to)
  for (let row = 0; row < count; row++) {
    const target = wide.subarray(row * to, (row + 1) * to)
    let sign = SEED
    for (let d = 0; d < from; d++) {
      sign = (Math.imul(sign, 1_664_525) + 1_013_904_223) | 0
      target[d] = sign < 0 ? -rows[row * from + d]! : rows[row * from + d]!
    }
    hadamard(target)
  }
  return wide
}

/** In place, orthonormal. */
function hadamard(x: Float32Array): void {
  for (let half = 1; half < x.length; half *= 2) {
    for (let start = 0; start < x.length; start += 2 * half) {
      for (let i = start; i < start + half; i++) {
        const a = x[i]!
        const b = x[i + half]!
        x[i] = a + b
        x[i + half] = a - b
      }
    }
  }
  const scale = 1 / Math.sqrt(x.length)
  for (let i = 0; i < x.length; i++) x[i]! *= scale
}

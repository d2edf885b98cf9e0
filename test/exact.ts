import {
  type BookOptions,
  Calibration,
  dequantizeEmbeddings,
  Levels,
  type Precision,
  quantizeEmbeddings,
} from '../src/index.js'
import { dots } from './oracle.js'
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

const known = new Map<string, Float32Array<ArrayBuffer>>()

/** Unit rows, made once: every kind starts from them. */
function plainRows(rows: number, dims: number, seed: number): Float32Array<ArrayBuffer> {
  const key = `${rows} ${dims} ${seed}`
  const data = known.get(key) ?? unitRows(rows, dims, seed)
  known.set(key, data)
  return data
}

/** Rows of a kind: what stands in a dimension and what a row is multiplied by. */
export function rowsOf(kind: string, rows: number, dims: number, seed: number): Float32Array<ArrayBuffer> {
  const data = plainRows(rows, dims, seed).slice()
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

/** Rows and queries of a kind, with one codebook, and what float64 says of every pair. */
export interface Trial {
  readonly data: Float32Array<ArrayBuffer>
  readonly queries: { readonly data: Float32Array<ArrayBuffer>; readonly dims: number[] }
  /** The ranges or levels of all rows, for `build` and `quantizeEmbeddings`. */
  readonly book: BookOptions
  /** Scores of float queries with all rows as their codes decode, in float64. */
  scores(scale: boolean | 'float32'): Float64Array[]
}

export interface TrialSize {
  readonly rows: number
  readonly dims: number
  readonly queries: number
  readonly seeds: readonly [rows: number, queries: number]
}

export function trial(kind: string, precision: Precision, { rows, dims, queries: count, seeds }: TrialSize): Trial {
  const data = rowsOf(kind, rows, dims, seeds[0])
  const corpus = { data, dims: [rows, dims] }
  const queries = { data: rowsOf(kind, count, dims, seeds[1]), dims: [count, dims] }
  const book = bookOf(corpus, precision)
  const codes = quantizeEmbeddings(corpus, precision, { ...book, onWarning() {} })
  const isBits = precision === 'binary' || precision === 'ubinary'
  // Codes and sums are the same for every scale; a factor would be rounded to float32 if it were decoded with them.
  const decoded = dequantizeEmbeddings(codes).data
  const sums = Array.from({ length: count }, (_, q) => {
    return dots(queries.data.subarray(q * dims, (q + 1) * dims), decoded, dims)
  })
  const scores = (scale: boolean | 'float32') => {
    const { scales } = quantizeEmbeddings(corpus, precision, { ...book, scale, onWarning() {} })
    return sums.map((own, q) => {
      if (scales !== undefined) return own.map((sum, row) => sum * scales[row]!)
      if (!isBits) return own
      // Bits without a factor are summed as 1 and 0.
      const all = queries.data.subarray(q * dims, (q + 1) * dims).reduce((sum, value) => sum + value, 0)
      return own.map((sum) => (sum + all) / 2)
    })
  }
  return { data, queries, book, scores }
}

/** The ranges or levels of these rows. */
export function bookOf(rows: { data: Float32Array; dims: number[] }, precision: Precision): BookOptions {
  if (precision === 'int8' || precision === 'uint8') return { ranges: Calibration.from(rows) }
  if (precision === 'int4' || precision === 'quaternary' || precision === 'ternary') {
    return { levels: Levels.from(rows, precision) }
  }
  return {}
}

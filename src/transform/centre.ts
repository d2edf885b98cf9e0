import { checkSameDims, describe, fail } from '../base/check.js'
import { arrayType, type RowSource } from '../rows/matrix.js'

/** Rows that means are taken from, and levels and percentiles of a corpus, evenly spaced; minima and maxima see all rows. */
export const SAMPLE_ROWS = 16_384
/** Rows read at a time. */
const CHUNK_ROWS = 256

/** What the `center` option gives at once: `dims` finite numbers, or nothing. @throws PackvecError INVALID_ARGUMENT, ... */
export function givenCentre(center: boolean | ArrayLike<number> | undefined, dims: number): Float32Array | undefined {
  if (center === undefined || typeof center === 'boolean') return undefined
  const type = arrayType(center)
  if (type !== 'Float32Array' && type !== 'Float64Array' && type !== 'Array') {
    fail('INVALID_ARGUMENT', 'center', 'true, false, or the numbers to subtract from each row', describe(center))
  }
  const centre = Float32Array.from(center as ArrayLike<number>)
  checkSameDims('center', centre.length, dims, 'the embeddings')
  const wrong = centre.findIndex((value) => !Number.isFinite(value))
  if (wrong < 0) return centre
  return fail('NOT_FINITE', 'center', 'finite in float32', `${centre[wrong]} at dimension ${wrong}`)
}

/** The mean of rows, summed in float64. */
export function meanOf(rows: RowSource): Float32Array {
  const { dims } = rows
  const sums = new Float64Array(dims)
  const values = new Float32Array(Math.min(CHUNK_ROWS, rows.rows) * dims)
  for (let first = 0; first < rows.rows; first += CHUNK_ROWS) {
    const count = Math.min(CHUNK_ROWS, rows.rows - first)
    rows.copyRows(first, count, values, dims)
    for (let i = 0; i < count; i++) for (let d = 0; d < dims; d++) sums[d]! += values[i * dims + d]!
  }
  return Float32Array.from(sums, (sum) => sum / rows.rows)
}

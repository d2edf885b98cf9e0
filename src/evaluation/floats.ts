import { failEmpty } from '../base/check.js'
import { PackvecError } from '../base/errors.js'
import { type Embeddings, toRows } from '../rows/matrix.js'

/** Rows of float32 one after the other: `data` is rows x dims. */
export interface FloatRows {
  readonly data: Float32Array<ArrayBuffer>
  readonly rows: number
  readonly dims: number
}

/**
 * Copies embeddings to one flat float32 array.
 * @throws PackvecError EMPTY, NOT_FINITE (naming row and dimension), and those of the shape
 */
export function toFloatRows(embeddings: Embeddings, argument: string): FloatRows {
  const source = toRows(embeddings, argument)
  if (source.rows === 0) failEmpty(argument)
  const { rows, dims } = source
  const data = new Float32Array(rows * dims)
  source.copyRows(0, rows, data, dims)
  for (let i = 0; i < data.length; i++) {
    if (Number.isFinite(data[i])) continue
    const message = `${argument} must be finite, got ${data[i]} at row ${Math.floor(i / dims)}, dimension ${i % dims}`
    throw new PackvecError('NOT_FINITE', argument, message)
  }
  return { data, rows, dims }
}

/** The named rows, in that order, as a copy. */
export function takeRows({ data, dims }: FloatRows, ids: readonly number[]): FloatRows {
  const taken = new Float32Array(ids.length * dims)
  for (const [i, id] of ids.entries()) taken.set(data.subarray(id * dims, (id + 1) * dims), i * dims)
  return { data: taken, rows: ids.length, dims }
}

/** A copy with rows of length 1; rows of zeros stay zeros. */
export function unitRows({ data, rows, dims }: FloatRows): FloatRows {
  const unit = new Float32Array(data.length)
  for (let row = 0; row < rows; row++) {
    const from = row * dims
    let squares = 0
    for (let i = from; i < from + dims; i++) squares += data[i]! * data[i]!
    const factor = squares > 0 ? 1 / Math.sqrt(squares) : 0
    for (let i = from; i < from + dims; i++) unit[i] = data[i]! * factor
  }
  return { data: unit, rows, dims }
}

/** Cosine of row i of `a` with row i of `b`, in float64; 0 if a row is all zeros. */
export function cosineOfPairs(a: FloatRows, b: FloatRows): Float64Array<ArrayBuffer> {
  const cosines = new Float64Array(a.rows)
  for (let row = 0; row < a.rows; row++) {
    let [dot, aSquares, bSquares] = [0, 0, 0]
    for (let i = row * a.dims; i < (row + 1) * a.dims; i++) {
      const [x, y] = [a.data[i]!, b.data[i]!]
      dot += x * y
      aSquares += x * x
      bSquares += y * y
    }
    cosines[row] = aSquares > 0 && bSquares > 0 ? dot / Math.sqrt(aSquares * bSquares) : 0
  }
  return cosines
}

/** Bytes read as numbers, a row of `rowBytes` of them a vector: what "cosine over packed bytes" compares. */
export function bytesAsFloats(bytes: Uint8Array | Int8Array, rows: number): FloatRows {
  return { data: Float32Array.from(bytes), rows, dims: bytes.length / rows }
}

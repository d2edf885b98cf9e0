import { checkOptions } from '../../base/options.js'
import { runSteps } from '../../base/steps.js'
import { openLinear } from '../../kernels/linear.js'
import { matrixF64Bytes, multiplyScratchBytes, paddedF64 } from '../../kernels/linear-kernels.js'
import { planRegions } from '../../kernels/regions.js'
import type { Embeddings, RowSource } from '../../rows/matrix.js'
import { Moments, sampleRows } from './moments.js'
import { CENTER_CHECKS, type CenterOptions, symmetricEigenSteps } from './svd.js'

/** Below this share of the largest, squaring has cost a singular value more than half its digits. */
const SMALL = 1e-4
const CHUNK_ROWS = 256

/**
 * Singular values of a sample, largest first, min(rows, dims) of them. They are roots of the eigenvalues of X^T X; those
 * below 1e-4 of the largest, whose squares drown in rounding, are found again as the singular values of X times their
 * vectors, and again below 1e-4 of those: each pass keeps 8 digits over 4 orders of magnitude, down to 1e-12 of the largest.
 * @param sample rows x dims; held by the caller, read once more for each pass
 * @throws PackvecError EMPTY, NOT_FINITE, and those of the shape
 */
export function singularValues(sample: Embeddings, given?: CenterOptions): Float64Array {
  const options = checkOptions(given, CENTER_CHECKS)
  const source = sampleRows(sample)
  const { dims } = source
  const count = Math.min(source.rows, dims)
  const moments = Moments.from(sample)
  const mean = options.center ? moments.mean : undefined
  const first = runSteps(symmetricEigenSteps(moments.products(options), dims), {})
  const values = first.values.map((value) => Math.sqrt(Math.max(0, value)))
  let basis = first.vectors
  for (let from = 0; ; ) {
    const top = values[from]!
    const skip = values.subarray(from).findIndex((value) => value < SMALL * top)
    // Products of float64 leave rounding around 1e-16 of the largest: nothing to find there.
    if (skip < 0 || from + skip >= count || top < 1e-12 * values[0]!) break
    basis = basis.subarray(skip * dims)
    from += skip
    const small = dims - from
    const found = runSteps(symmetricEigenSteps(productsAlong(source, mean, basis, small), small), {})
    found.values.forEach((value, i) => {
      values[from + i] = Math.sqrt(Math.max(0, value))
    })
    basis = product(found.vectors, basis, small, dims)
  }
  return values.slice(0, count)
}

/** Y^T Y for Y = (X - mean) B^T: count x count, where the rows of B are `count` directions. */
function productsAlong(
  source: RowSource,
  mean: Float64Array | undefined,
  basis: Float64Array,
  count: number,
): Float64Array {
  const { dims } = source
  const at = planRegions({
    rows: matrixF64Bytes(CHUNK_ROWS, dims),
    basis: matrixF64Bytes(dims, count),
    along: matrixF64Bytes(CHUNK_ROWS, count),
    products: matrixF64Bytes(count, count),
    scratch: multiplyScratchBytes(Math.max(CHUNK_ROWS, count), count),
  })
  const { kernels, buffer } = openLinear(at.end)
  const stride = paddedF64(count)
  const columns = new Float64Array(buffer, at.basis, stride * dims)
  for (let i = 0; i < count; i++) {
    for (let d = 0; d < dims; d++) columns[d * stride + i] = basis[i * dims + d]!
  }
  const staged = new Float32Array(CHUNK_ROWS * dims)
  const rows = new Float64Array(buffer, at.rows, CHUNK_ROWS * paddedF64(dims))
  const sums = new Float64Array(count * count)
  for (let first = 0; first < source.rows; first += CHUNK_ROWS) {
    const rowCount = Math.min(CHUNK_ROWS, source.rows - first)
    source.copyRows(first, rowCount, staged, dims)
    for (let i = 0; i < rowCount * dims; i++) {
      const d = i % dims
      rows[((i - d) / dims) * paddedF64(dims) + d] = staged[i]! - (mean === undefined ? 0 : mean[d]!)
    }
    kernels.multiplyF64(at.rows, at.basis, at.along, rowCount, dims, count, 0, at.scratch)
    kernels.multiplyF64(at.along, at.along, at.products, count, rowCount, count, 1, at.scratch)
    addMatrix(sums, new Float64Array(buffer, at.products, stride * count), count, stride)
  }
  return sums
}

function addMatrix(sums: Float64Array, matrix: Float64Array, dims: number, stride: number): void {
  for (let i = 0; i < dims; i++) {
    for (let j = 0; j < dims; j++) sums[i * dims + j]! += matrix[i * stride + j]!
  }
}

/** a (n x n) times b (n x k), both without padding. */
function product(a: Float64Array, b: Float64Array, n: number, k: number): Float64Array {
  const out = new Float64Array(n * k)
  for (let i = 0; i < n; i++) {
    const row = out.subarray(i * k, (i + 1) * k)
    for (let p = 0; p < n; p++) {
      const x = a[i * n + p]!
      for (let j = 0; j < k; j++) row[j]! += x * b[p * k + j]!
    }
  }
  return out
}

import { fail } from '../base/check.js'

/** Largest entry of |M M^T - I| that counts as orthogonal: float32 rounding stays below 1e-6. */
const TOLERANCE = 1e-5
/** Rows of a sealed matrix that are held against all others, and times that all are added with random signs. */
const SAMPLED_ROWS = 4
const SIGN_VECTORS = 2

/**
 * Looks at all products of rows, dims^3 operations.
 * @param products M M^T as the kernels have it, in float32: what strays there is computed again in float64
 * @throws PackvecError INVALID_ARGUMENT
 */
export function checkProducts(matrix: Float32Array, products: Float32Array, dims: number): void {
  for (let i = 0; i < products.length; i++) {
    const [row, column] = [Math.floor(i / dims), i % dims]
    if (Math.abs(products[i]! - (row === column ? 1 : 0)) > TOLERANCE) checkProduct(matrix, dims, row, column)
  }
}

/**
 * Looks at a matrix whose bytes were checked by their sum, so that nothing but its author can have spoilt it: the length of
 * each row, some rows against all others, and sums of all rows with random signs, some dims^2 operations. All products of
 * 4,096 dimensions took 10 s at every opening.
 * @throws PackvecError INVALID_ARGUMENT
 */
export function checkSampled(matrix: Float32Array, dims: number): void {
  for (let row = 0; row < dims; row++) checkProduct(matrix, dims, row, row)
  const samples = Math.min(SAMPLED_ROWS, dims)
  for (let i = 0; i < samples; i++) {
    const row = Math.floor((i * (dims - 1)) / Math.max(1, samples - 1))
    for (let column = 0; column < dims; column++) checkProduct(matrix, dims, row, column)
  }
  for (let i = 0; i < SIGN_VECTORS; i++) checkSigned(matrix, dims)
}

function checkProduct(matrix: Float32Array, dims: number, row: number, column: number): void {
  let product = 0
  for (let i = 0, a = row * dims, b = column * dims; i < dims; i++) product += matrix[a + i]! * matrix[b + i]!
  if (Math.abs(product - (row === column ? 1 : 0)) <= TOLERANCE) return
  notOrthogonal(`${product} as the dot product of rows ${row} and ${column}`)
}

/** M (M^T z) must be z. A row that is a copy of another, or turned towards it, shows in the sum (Freivalds 1977). */
function checkSigned(matrix: Float32Array, dims: number): void {
  // As far as entries within the tolerance add up to, with room for chance.
  const tolerance = 8 * Math.sqrt(dims) * TOLERANCE
  const signs = Float64Array.from({ length: dims }, () => (Math.random() < 0.5 ? -1 : 1))
  const sums = new Float64Array(dims)
  for (let row = 0; row < dims; row++) {
    const sign = signs[row]!
    for (let i = 0, at = row * dims; i < dims; i++, at++) sums[i]! += sign * matrix[at]!
  }
  for (let row = 0; row < dims; row++) {
    let product = 0
    for (let i = 0, at = row * dims; i < dims; i++, at++) product += sums[i]! * matrix[at]!
    if (!(Math.abs(product - signs[row]!) <= tolerance)) {
      notOrthogonal(`a sum of rows whose dot product with row ${row} is ${product}, not ${signs[row]}`)
    }
  }
}

function notOrthogonal(found: string): never {
  fail('INVALID_ARGUMENT', 'matrix', 'orthogonal to 1e-5', found)
}

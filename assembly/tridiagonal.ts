import { rowBytesF64 } from './tile'

/** A sum of squares below this counts as zero: the entries behind it are below 1e-140 of the scaled matrix. */
const TINY: f64 = 1e-280

/**
 * Householder reduction of rows `fromRow` down to `toRow` (a first call starts at dims - 1, a last one ends at 0). Row r
 * keeps the reflector I - u u^T in its first r entries; diagonal[r] and offDiagonal[r - 1] receive the tridiagonal matrix.
 *
 * One pass over the lower triangle does the rank-2 update of the last reflector and the product with the next one, so that
 * a matrix larger than the cache is read and written once a row. Scratch: the pending u, the pending q, the product.
 */
export function tridiagonalise(
  matrixPtr: usize,
  dims: usize,
  fromRow: usize,
  toRow: usize,
  diagonalPtr: usize,
  offDiagonalPtr: usize,
  scratchPtr: usize,
): void {
  assert(fromRow < dims && toRow <= fromRow, 'rows run downwards inside the matrix')
  const rowBytes = rowBytesF64(dims)
  const uPtr = scratchPtr
  const qPtr = uPtr + rowBytes
  const productPtr = qPtr + rowBytes
  if (fromRow === dims - 1) memory.fill(uPtr, 0, rowBytes << 1)
  for (let row = fromRow; ; --row) {
    const rowPtr = matrixPtr + row * rowBytes
    updateRow(rowPtr, row, uPtr, qPtr)
    store<f64>(diagonalPtr + (row << 3), load<f64>(rowPtr + (row << 3)))
    if (row) {
      store<f64>(offDiagonalPtr + ((row - 1) << 3), makeReflector(rowPtr, row))
      updateAndMultiply(matrixPtr, rowBytes, row, uPtr, qPtr, rowPtr, productPtr)
      // A' = (I - u u^T) A (I - u u^T) = A - u q^T - q u^T, with p = A u and q = p - (u · p / 2) u.
      const half = dot(rowPtr, productPtr, row) * 0.5
      memory.copy(uPtr, rowPtr, row << 3)
      for (let j: usize = 0; j < row << 3; j += 8) {
        store<f64>(qPtr + j, load<f64>(productPtr + j) - half * load<f64>(uPtr + j))
      }
    }
    if (row === toRow) return
  }
}

/** Entries 0 to `row` of one row of A - u q^T - q u^T. */
function updateRow(rowPtr: usize, row: usize, uPtr: usize, qPtr: usize): void {
  const u = load<f64>(uPtr + (row << 3))
  const q = load<f64>(qPtr + (row << 3))
  for (let j: usize = 0; j <= row << 3; j += 8) {
    store<f64>(rowPtr + j, load<f64>(rowPtr + j) - (u * load<f64>(qPtr + j) + q * load<f64>(uPtr + j)))
  }
}

/**
 * Replaces x, the first `count` entries, by u with |u|² = 2, such that I - u u^T maps x to its last axis; returns the
 * length there, of the opposite sign to x's last entry, so that nothing cancels. u = 0 where x is on that axis already.
 */
function makeReflector(xPtr: usize, count: usize): f64 {
  const last = (count - 1) << 3
  const alpha = load<f64>(xPtr + last)
  const rest = dot(xPtr, xPtr, count - 1)
  // Not "rest < TINY": a NaN must reach the result.
  if (rest <= TINY) {
    memory.fill(xPtr, 0, count << 3)
    return alpha
  }
  const length = sqrt<f64>(rest + alpha * alpha)
  const inverse = 1 / sqrt<f64>(length * (length + abs<f64>(alpha)))
  const image = alpha > 0 ? -length : length
  store<f64>(xPtr + last, alpha - image)
  for (let j: usize = 0; j <= last; j += 8) store<f64>(xPtr + j, load<f64>(xPtr + j) * inverse)
  return image
}

/** Even entries in one lane, odd ones in the other, then a last one. */
export function dot(aPtr: usize, bPtr: usize, count: usize): f64 {
  let sums = f64x2.splat(0)
  const end = aPtr + ((count & ~1) << 3)
  for (; aPtr !== end; aPtr += 16) {
    sums = f64x2.add(sums, f64x2.mul(v128.load(aPtr), v128.load(bPtr)))
    bPtr += 16
  }
  const sum = f64x2.extract_lane(sums, 0) + f64x2.extract_lane(sums, 1)
  return count & 1 ? sum + load<f64>(aPtr) * load<f64>(bPtr) : sum
}

/** The leading `count` rows: A -= u q^T + q u^T on the lower triangle, then y = A x by symmetry, two rows a pass. */
function updateAndMultiply(
  matrixPtr: usize,
  rowBytes: usize,
  count: usize,
  uPtr: usize,
  qPtr: usize,
  xPtr: usize,
  yPtr: usize,
): void {
  let row: usize = 0
  for (; row + 2 <= count; row += 2) {
    twoRows(matrixPtr + row * rowBytes, rowBytes, row, uPtr, qPtr, xPtr, yPtr)
  }
  if (row < count) oneRow(matrixPtr + row * rowBytes, row, uPtr, qPtr, xPtr, yPtr)
}

function twoRows(
  row0Ptr: usize,
  rowBytes: usize,
  row: usize,
  uPtr: usize,
  qPtr: usize,
  xPtr: usize,
  yPtr: usize,
): void {
  const row1Ptr = row0Ptr + rowBytes
  const offset = row << 3
  const u0 = v128.load64_splat(uPtr + offset)
  const q0 = v128.load64_splat(qPtr + offset)
  const x0 = v128.load64_splat(xPtr + offset)
  const u1 = v128.load64_splat(uPtr + offset, 8)
  const q1 = v128.load64_splat(qPtr + offset, 8)
  const x1 = v128.load64_splat(xPtr + offset, 8)
  let sum0 = f64x2.splat(0)
  let sum1 = sum0
  for (let j: usize = 0; j !== offset; j += 16) {
    const u = v128.load(uPtr + j)
    const q = v128.load(qPtr + j)
    const x = v128.load(xPtr + j)
    const a0 = f64x2.sub(v128.load(row0Ptr + j), f64x2.add(f64x2.mul(u0, q), f64x2.mul(q0, u)))
    v128.store(row0Ptr + j, a0)
    sum0 = f64x2.add(sum0, f64x2.mul(a0, x))
    const a1 = f64x2.sub(v128.load(row1Ptr + j), f64x2.add(f64x2.mul(u1, q), f64x2.mul(q1, u)))
    v128.store(row1Ptr + j, a1)
    sum1 = f64x2.add(sum1, f64x2.mul(a1, x))
    v128.store(yPtr + j, f64x2.add(v128.load(yPtr + j), f64x2.add(f64x2.mul(a0, x0), f64x2.mul(a1, x1))))
  }
  // The 2 x 2 block on the diagonal. These two entries of y are written here first: later rows only add to them.
  const a00 = updateEntry(row0Ptr, row, row, uPtr, qPtr)
  const a10 = updateEntry(row1Ptr, row + 1, row, uPtr, qPtr)
  const a11 = updateEntry(row1Ptr, row + 1, row + 1, uPtr, qPtr)
  const x0s = f64x2.extract_lane(x0, 0)
  const x1s = f64x2.extract_lane(x1, 0)
  store<f64>(yPtr + offset, f64x2.extract_lane(sum0, 0) + f64x2.extract_lane(sum0, 1) + (a00 * x0s + a10 * x1s))
  store<f64>(yPtr + offset, f64x2.extract_lane(sum1, 0) + f64x2.extract_lane(sum1, 1) + (a10 * x0s + a11 * x1s), 8)
}

/** The last of an odd number of rows. */
function oneRow(rowPtr: usize, row: usize, uPtr: usize, qPtr: usize, xPtr: usize, yPtr: usize): void {
  updateRow(rowPtr, row, uPtr, qPtr)
  const offset = row << 3
  const x = load<f64>(xPtr + offset)
  for (let j: usize = 0; j !== offset; j += 8) {
    store<f64>(yPtr + j, load<f64>(yPtr + j) + load<f64>(rowPtr + j) * x)
  }
  store<f64>(yPtr + offset, dot(rowPtr, xPtr, row + 1))
}

function updateEntry(rowPtr: usize, row: usize, column: usize, uPtr: usize, qPtr: usize): f64 {
  const i = row << 3
  const j = column << 3
  const a =
    load<f64>(rowPtr + j) - (load<f64>(uPtr + i) * load<f64>(qPtr + j) + load<f64>(qPtr + i) * load<f64>(uPtr + j))
  store<f64>(rowPtr + j, a)
  return a
}

import { rowBytesF64 } from './tile'
import { dot } from './tridiagonal'

/** Reflectors applied in one pass over the matrix. */
const BLOCK: usize = 4

/**
 * Turns the reflectors of `tridiagonalise` into their product, in place: row i becomes row i of Z with A = Z^T T Z. Works on
 * reflectors `fromRow` to `toRow` - 1, multiples of 4, from 0 up. Row r acts on the first r rows and columns, where Z grows.
 *
 * Scratch: four reflectors, padded with zeros to the same length.
 */
export function accumulateReflectors(
  matrixPtr: usize,
  dims: usize,
  fromRow: usize,
  toRow: usize,
  scratchPtr: usize,
): void {
  assert(fromRow % BLOCK === 0 && toRow % BLOCK === 0, 'reflectors go in fours')
  const rowBytes = rowBytesF64(dims)
  for (let first = fromRow; first < toRow; first += BLOCK) {
    takeReflectors(matrixPtr, rowBytes, dims, first, scratchPtr)
    applyReflectors(matrixPtr, rowBytes, first + BLOCK, scratchPtr)
  }
}

/** Moves four reflectors to the scratch and grows the unit matrix over their rows and columns (padding included). */
function takeReflectors(matrixPtr: usize, rowBytes: usize, dims: usize, first: usize, scratchPtr: usize): void {
  memory.fill(scratchPtr, 0, rowBytes * BLOCK)
  for (let row: usize = 0; row < first; ++row) {
    memory.fill(matrixPtr + row * rowBytes + (first << 3), 0, BLOCK << 3)
  }
  for (let i: usize = 0; i < BLOCK; ++i) {
    const row = first + i
    const rowPtr = matrixPtr + row * rowBytes
    if (row < dims) memory.copy(scratchPtr + i * rowBytes, rowPtr, row << 3)
    memory.fill(rowPtr, 0, (first + BLOCK) << 3)
    store<f64>(rowPtr + (row << 3), 1)
  }
}

/**
 * z (I - u0 u0^T) ... (I - u3 u3^T) for the leading `count` rows z: the four dots are taken from the old row and corrected
 * by the dots among the reflectors. Two rows a pass: 8 accumulators, then 8 splats.
 */
function applyReflectors(matrixPtr: usize, rowBytes: usize, count: usize, uPtr: usize): void {
  const u1Ptr = uPtr + rowBytes
  const u2Ptr = u1Ptr + rowBytes
  const u3Ptr = u2Ptr + rowBytes
  const g01 = f64x2.splat(dot(uPtr, u1Ptr, count))
  const g02 = f64x2.splat(dot(uPtr, u2Ptr, count))
  const g03 = f64x2.splat(dot(uPtr, u3Ptr, count))
  const g12 = f64x2.splat(dot(u1Ptr, u2Ptr, count))
  const g13 = f64x2.splat(dot(u1Ptr, u3Ptr, count))
  const g23 = f64x2.splat(dot(u2Ptr, u3Ptr, count))
  const bytes = count << 3
  for (let row: usize = 0; row < count; row += 2) {
    const aPtr = matrixPtr + row * rowBytes
    const bPtr = aPtr + rowBytes
    let a0 = f64x2.splat(0)
    let a1 = a0
    let a2 = a0
    let a3 = a0
    let b0 = a0
    let b1 = a0
    let b2 = a0
    let b3 = a0
    for (let j: usize = 0; j !== bytes; j += 16) {
      const a = v128.load(aPtr + j)
      const b = v128.load(bPtr + j)
      const u0 = v128.load(uPtr + j)
      a0 = f64x2.add(a0, f64x2.mul(a, u0))
      b0 = f64x2.add(b0, f64x2.mul(b, u0))
      const u1 = v128.load(u1Ptr + j)
      a1 = f64x2.add(a1, f64x2.mul(a, u1))
      b1 = f64x2.add(b1, f64x2.mul(b, u1))
      const u2 = v128.load(u2Ptr + j)
      a2 = f64x2.add(a2, f64x2.mul(a, u2))
      b2 = f64x2.add(b2, f64x2.mul(b, u2))
      const u3 = v128.load(u3Ptr + j)
      a3 = f64x2.add(a3, f64x2.mul(a, u3))
      b3 = f64x2.add(b3, f64x2.mul(b, u3))
    }
    a0 = sumInBothLanes(a0)
    a1 = f64x2.sub(sumInBothLanes(a1), f64x2.mul(a0, g01))
    a2 = f64x2.sub(sumInBothLanes(a2), f64x2.add(f64x2.mul(a0, g02), f64x2.mul(a1, g12)))
    a3 = f64x2.sub(sumInBothLanes(a3), f64x2.add(f64x2.add(f64x2.mul(a0, g03), f64x2.mul(a1, g13)), f64x2.mul(a2, g23)))
    b0 = sumInBothLanes(b0)
    b1 = f64x2.sub(sumInBothLanes(b1), f64x2.mul(b0, g01))
    b2 = f64x2.sub(sumInBothLanes(b2), f64x2.add(f64x2.mul(b0, g02), f64x2.mul(b1, g12)))
    b3 = f64x2.sub(sumInBothLanes(b3), f64x2.add(f64x2.add(f64x2.mul(b0, g03), f64x2.mul(b1, g13)), f64x2.mul(b2, g23)))
    for (let j: usize = 0; j !== bytes; j += 16) {
      const u0 = v128.load(uPtr + j)
      const u1 = v128.load(u1Ptr + j)
      const u2 = v128.load(u2Ptr + j)
      const u3 = v128.load(u3Ptr + j)
      const a = f64x2.add(
        f64x2.add(f64x2.mul(a0, u0), f64x2.mul(a1, u1)),
        f64x2.add(f64x2.mul(a2, u2), f64x2.mul(a3, u3)),
      )
      v128.store(aPtr + j, f64x2.sub(v128.load(aPtr + j), a))
      const b = f64x2.add(
        f64x2.add(f64x2.mul(b0, u0), f64x2.mul(b1, u1)),
        f64x2.add(f64x2.mul(b2, u2), f64x2.mul(b3, u3)),
      )
      v128.store(bPtr + j, f64x2.sub(v128.load(bPtr + j), b))
    }
  }
}

function sumInBothLanes(v: v128): v128 {
  return f64x2.add(v, i64x2.shuffle(v, v, 1, 0))
}

/** Half the distance from 1 to the next float64. */
const EPSILON: f64 = 1.1102230246251565e-16

/** Sweeps for one eigenvalue: two are usual, more than ten are not seen. */
const MAX_SWEEPS: u32 = 60

/** Below this the square of a float64 loses bits. */
const SMALL: f64 = 1e-140

// The state between calls, zero before the first: how many eigenvalues are found, sweeps spent on the next one (uint32).
const FOUND: usize = 0
const SPENT: usize = 4

/**
 * Implicit QL with Wilkinson's shift on a symmetric tridiagonal matrix, up to `sweepLimit` sweeps. A sweep is recorded for
 * `applySweeps` as 16 (dims + 1) bytes: first and end row (uint32, 8 bytes free), then at 16 (i + 1) cosine and sine of the
 * rotation of rows i and i + 1. Off-diagonal entries up to `tolerance` count as zero.
 *
 * Returns the number of sweeps recorded; all eigenvalues are found when it is below `sweepLimit`. Returns -1 when one
 * eigenvalue takes more than 60 sweeps, as with a NaN.
 */
export function recordSweeps(
  dims: usize,
  diagonalPtr: usize,
  offDiagonalPtr: usize,
  tolerance: f64,
  statePtr: usize,
  sweepsPtr: usize,
  sweepLimit: u32,
): i32 {
  let first = <usize>load<u32>(statePtr, FOUND)
  let spent = load<u32>(statePtr, SPENT)
  let recorded: u32 = 0
  while (first < dims && recorded < sweepLimit) {
    const end = blockEnd(first, dims, diagonalPtr, offDiagonalPtr, tolerance)
    if (end === first) {
      first++
      spent = 0
      continue
    }
    if (++spent > MAX_SWEEPS) return -1
    sweep(first, end, diagonalPtr, offDiagonalPtr, sweepsPtr)
    sweepsPtr += (dims + 1) << 4
    recorded++
  }
  store<u32>(statePtr, <u32>first, FOUND)
  store<u32>(statePtr, spent, SPENT)
  return recorded
}

/** The last row that is coupled with `first`; a coupling found to be negligible stays zero from then on. */
function blockEnd(first: usize, dims: usize, diagonalPtr: usize, offDiagonalPtr: usize, tolerance: f64): usize {
  let end = first
  for (; end < dims - 1; ++end) {
    const coupling = abs(load<f64>(offDiagonalPtr + (end << 3)))
    const row = diagonalPtr + (end << 3)
    if (coupling <= tolerance || coupling <= EPSILON * (abs(load<f64>(row)) + abs(load<f64>(row, 8)))) {
      store<f64>(offDiagonalPtr + (end << 3), 0)
      break
    }
  }
  return end
}

/** One sweep from `end` up to `first`: d is the diagonal, e[i] couples rows i and i + 1. */
function sweep(first: usize, end: usize, dPtr: usize, ePtr: usize, sweepPtr: usize): void {
  const d0 = load<f64>(dPtr + (first << 3))
  const e0 = load<f64>(ePtr + (first << 3))
  const slope = (load<f64>(dPtr + (first << 3), 8) - d0) / (2 * e0)
  const root = hypotenuse(slope, 1)
  let g = load<f64>(dPtr + (end << 3)) - d0 + e0 / (slope + (slope < 0 ? -root : root))
  let s: f64 = 1
  let c: f64 = 1
  let p: f64 = 0
  let row = end
  while (row > first) {
    --row
    const d = dPtr + (row << 3)
    const e = load<f64>(ePtr + (row << 3))
    const f = s * e
    const b = c * e
    const r = hypotenuse(f, g)
    if (row + 1 < end) store<f64>(ePtr + (row << 3), r, 8)
    if (r === 0) {
      // The matrix has split here: what was rotated so far stands, the rest waits for the next sweep.
      store<f64>(d, load<f64>(d, 8) - p, 8)
      store<f64>(ePtr + (row << 3), b)
      endSweep(row + 1, end, sweepPtr)
      return
    }
    s = f / r
    c = g / r
    g = load<f64>(d, 8) - p
    const t = (load<f64>(d) - g) * s + 2 * c * b
    p = s * t
    store<f64>(d, g + p, 8)
    g = c * t - b
    const rotation = sweepPtr + ((row + 1) << 4)
    store<f64>(rotation, c)
    store<f64>(rotation, s, 8)
  }
  store<f64>(dPtr + (first << 3), d0 - p)
  store<f64>(ePtr + (first << 3), g)
  endSweep(first, end, sweepPtr)
}

function endSweep(first: usize, end: usize, sweepPtr: usize): void {
  store<u32>(sweepPtr, <u32>first)
  store<u32>(sweepPtr, <u32>end, 4)
}

/** sqrt(a² + b²) without underflow; 0 when both are so small that a quotient by it could lose bits. */
function hypotenuse(a: f64, b: f64): f64 {
  const larger = max(abs(a), abs(b))
  if (larger < 1e-290) return 0
  if (larger < SMALL) {
    const x = a * 1e200
    const y = b * 1e200
    return sqrt(x * x + y * y) * 1e-200
  }
  return sqrt(a * a + b * b)
}

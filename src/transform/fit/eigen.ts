import { PackvecError } from '../../base/errors.js'
import {
  type EigenRegion,
  type LinearKernels,
  PANEL_COLUMNS,
  paddedF64,
  SWEEP_LIMIT,
} from '../../kernels/linear-kernels.js'

export interface SymmetricEigen {
  /** Eigenvalues, largest first: `dims` float64. */
  readonly values: Float64Array
  /** dims x dims: row i is the unit eigenvector of `values[i]`; its first component of largest magnitude is positive. */
  readonly vectors: Float64Array
}

/** What one kernel call does at most, so that progress is told and a caller can stop: about 4 million multiplications. */
const STEP_WORK = 1 << 22

/** Shares of the time, measured at 384 and 1,024 dims: reduction, accumulation, sweeps. */
const REDUCED = 0.17
const ACCUMULATED = 0.4

/**
 * Eigenvalues and eigenvectors of a symmetric float64 matrix: Householder reduction, implicit QL, rotations applied to
 * panels (Golub & Van Loan, Matrix Computations, 8.3; Reinsch & Wilkinson's tql2).
 *
 * `regions` names addresses in `buffer`, sized by `eigenScratchBytes(dims)`. The lower triangle of `matrix` is read, and
 * overwritten. `step` gets the fraction done between kernel calls; an error of it ends the work.
 * @throws PackvecError NOT_FINITE when the matrix holds a NaN or an infinity
 */
export function eigenDecompose(
  kernels: LinearKernels,
  buffer: ArrayBuffer,
  regions: Readonly<Record<EigenRegion, number>>,
  dims: number,
  step: (fraction: number) => void = () => {},
): SymmetricEigen {
  const steps = eigenSteps(kernels, buffer, regions, dims)
  for (;;) {
    const next = steps.next()
    if (next.done) return next.value
    step(next.value)
  }
}

/** `eigenDecompose` as a generator of the fraction done, for callers that give way to other work between the steps. */
export function* eigenSteps(
  kernels: LinearKernels,
  buffer: ArrayBuffer,
  regions: Readonly<Record<EigenRegion, number>>,
  dims: number,
): Generator<number, SymmetricEigen, void> {
  const { matrix, panels, diagonal, offDiagonal, vectors, state, sweeps } = regions
  const scale = scaleToOne(new Float64Array(buffer, matrix, paddedF64(dims) * dims), dims)

  for (let row = dims - 1; row >= 0; ) {
    const last = Math.max(0, row - Math.floor(STEP_WORK / (2 * (row + 1) ** 2)))
    kernels.tridiagonalise(matrix, dims, row, last, diagonal, offDiagonal, vectors)
    row = last - 1
    yield REDUCED * (1 - (last / dims) ** 3)
  }
  for (let row = 0; row < dims; ) {
    const next = Math.min(row + 4 * Math.max(1, Math.floor(STEP_WORK / (8 * (row + 4) ** 2))), Math.ceil(dims / 4) * 4)
    kernels.accumulateReflectors(matrix, dims, row, next, vectors)
    row = next
    yield REDUCED + (ACCUMULATED - REDUCED) * Math.min(1, (row / dims) ** 3)
  }
  fillPanels(buffer, matrix, panels, dims)

  new Uint32Array(buffer, state, 2).fill(0)
  const tolerance = Number.EPSILON * 0.5 * largestRowSum(buffer, diagonal, offDiagonal, dims)
  const panelCount = Math.ceil(dims / PANEL_COLUMNS)
  const panelBytes = 8 * PANEL_COLUMNS * dims
  for (let recorded = SWEEP_LIMIT; recorded === SWEEP_LIMIT; ) {
    const before = foundFraction(buffer, state, dims)
    recorded = kernels.recordSweeps(dims, diagonal, offDiagonal, tolerance, state, sweeps, SWEEP_LIMIT)
    if (recorded < 0) {
      throw new PackvecError('NOT_FINITE', 'matrix', `the eigenvalues of the ${dims} x ${dims} matrix did not converge`)
    }
    const after = foundFraction(buffer, state, dims)
    const chunk = Math.max(1, Math.floor(STEP_WORK / (4 * PANEL_COLUMNS * SWEEP_LIMIT * dims)))
    for (let panel = 0; panel < panelCount; panel += chunk) {
      const count = Math.min(chunk, panelCount - panel)
      kernels.applySweeps(panels + panel * panelBytes, dims, count, sweeps, recorded)
      yield ACCUMULATED + (1 - ACCUMULATED) * (before + ((after - before) * (panel + count)) / panelCount)
    }
  }
  return sorted(buffer, diagonal, panels, dims, 1 / scale)
}

/** Multiplies by a power of two, so exactly, such that the largest entry of the lower triangle is between 1 and 2. */
function scaleToOne(matrix: Float64Array, dims: number): number {
  const stride = paddedF64(dims)
  let largest = 0
  for (let row = 0; row < dims; row++) {
    for (let i = row * stride; i <= row * stride + row; i++) {
      const magnitude = Math.abs(matrix[i]!)
      if (!(magnitude < Infinity)) {
        const message = `matrix must be finite, got ${matrix[i]} in row ${row}, column ${i - row * stride}`
        throw new PackvecError('NOT_FINITE', 'matrix', message)
      }
      if (magnitude > largest) largest = magnitude
    }
  }
  const scale = largest === 0 ? 1 : powerOfTwo(-exponentOf(largest))
  if (scale !== 1) {
    for (let row = 0; row < dims; row++) {
      for (let i = row * stride; i <= row * stride + row; i++) matrix[i] = matrix[i]! * scale
    }
  }
  return scale
}

// By the bits, because the specification leaves Math.log2 and ** to the engine. Kept below 2^1000 both ways, so that the
// power and its inverse are normal numbers; -1023 stands for the numbers below the normal ones.
function exponentOf(value: number): number {
  const high = new Uint32Array(Float64Array.of(value).buffer)[1]!
  return Math.max(-1000, Math.min(1000, ((high >>> 20) & 0x7ff) - 1023))
}

function powerOfTwo(exponent: number): number {
  return new Float64Array(Uint32Array.of(0, (exponent + 1023) << 20).buffer)[0]!
}

/** The norm that "negligible" is measured by: the largest sum of magnitudes in a row of the tridiagonal matrix. */
function largestRowSum(buffer: ArrayBuffer, diagonalPtr: number, offDiagonalPtr: number, dims: number): number {
  const diagonal = new Float64Array(buffer, diagonalPtr, dims)
  const offDiagonal = new Float64Array(buffer, offDiagonalPtr, dims)
  let largest = 0
  for (let row = 0; row < dims; row++) {
    const before = row > 0 ? Math.abs(offDiagonal[row - 1]!) : 0
    const after = row < dims - 1 ? Math.abs(offDiagonal[row]!) : 0
    largest = Math.max(largest, before + Math.abs(diagonal[row]!) + after)
  }
  return largest
}

/** Later eigenvalues take shorter sweeps: with a fraction f found, (1 - f)² of the work is left. */
function foundFraction(buffer: ArrayBuffer, statePtr: number, dims: number): number {
  const found = new Uint32Array(buffer, statePtr, 1)[0]!
  return 1 - (1 - found / dims) ** 2
}

/** Copies 8 columns of the matrix at a time, one panel after the other; the padding of the last one is zero or unused. */
function fillPanels(buffer: ArrayBuffer, matrixPtr: number, panelsPtr: number, dims: number): void {
  const stride = paddedF64(dims)
  const matrix = new Float64Array(buffer, matrixPtr, stride * dims)
  const panels = new Float64Array(buffer, panelsPtr, stride * dims)
  for (let row = 0; row < dims; row++) {
    for (let column = 0; column < stride; column++) {
      const panel = column - (column % PANEL_COLUMNS)
      panels[panel * dims + row * PANEL_COLUMNS + (column - panel)] = column < dims ? matrix[row * stride + column]! : 0
    }
  }
}

/** Eigenvalues in descending order (equal ones as they were found), eigenvectors as rows with their sign fixed. */
function sorted(
  buffer: ArrayBuffer,
  diagonalPtr: number,
  panelsPtr: number,
  dims: number,
  scale: number,
): SymmetricEigen {
  const diagonal = new Float64Array(buffer, diagonalPtr, dims)
  const panels = new Float64Array(buffer, panelsPtr, paddedF64(dims) * dims)
  const order = Array.from(diagonal.keys()).sort((a, b) => diagonal[b]! - diagonal[a]! || a - b)
  const vectors = new Float64Array(dims * dims)
  order.forEach((row, rank) => {
    let largest = 0
    for (let column = 0; column < dims; column++) {
      const panel = column - (column % PANEL_COLUMNS)
      const value = panels[panel * dims + row * PANEL_COLUMNS + (column - panel)]!
      vectors[rank * dims + column] = value
      if (Math.abs(value) > Math.abs(largest)) largest = value
    }
    if (largest > 0) return
    for (let i = rank * dims; i < (rank + 1) * dims; i++) vectors[i] = -vectors[i]!
  })
  return { values: Float64Array.from(order, (row) => diagonal[row]! * scale), vectors }
}

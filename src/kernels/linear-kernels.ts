/**
 * The kernels of linear algebra: moments, products and eigen-decomposition, as arithmetic on byte addresses in one memory.
 * They are a module of their own, `linear.wasm`, so that the core carries only what applies a rotation (`rotate-kernels.ts`).
 *
 * Two implementations answer to it: the wasm in `assembly/` and the plain TypeScript of `reference/linear.ts`. Both add in
 * the same order, without fused or relaxed instructions, so that they give the same bits everywhere.
 *
 * Layout: a float64 matrix of n x k has rows of `paddedF64(k)` float64 and memory for `paddedF64(n)` rows; float32 rows are
 * a multiple of 64 bytes and zero behind the last dimension. Addresses of float32 are multiples of 4, of float64 of 8.
 * Inputs are finite.
 */
export interface LinearKernels {
  /**
   * Adds `rowCount` float32 rows to their second moments (float64, dims x dims: X^T X) and to `paddedF64(dims)` float64
   * column sums. Of the moments only the lower triangle counts, what stands above it is arbitrary. Rows are added one
   * after the other: calls may be cut anywhere without changing a bit. `scratchPtr`: `momentScratchBytes(dims)`.
   */
  addMoments(
    valuesPtr: number,
    valueRowBytes: number,
    rowCount: number,
    dims: number,
    momentsPtr: number,
    sumsPtr: number,
    scratchPtr: number,
  ): void

  /**
   * out (n x k) = a times b (m x k) in float64; a is n x m, or m x n and transposed when `transposeA` is 1. `out` overlaps
   * neither. `scratchPtr`: `multiplyScratchBytes(n, k)`.
   */
  multiplyF64(
    aPtr: number,
    bPtr: number,
    outPtr: number,
    n: number,
    m: number,
    k: number,
    transposeA: 0 | 1,
    scratchPtr: number,
  ): void

  /**
   * Householder reduction A = Z^T T Z of a symmetric matrix, rows `fromRow` down to `toRow`, both included: the first call
   * starts at dims - 1, the last one ends at 0, each goes on where the one before stopped. Reads and overwrites the lower
   * triangle: row r then holds reflector r. T goes to `diagonalPtr` (dims float64) and `offDiagonalPtr` (dims - 1).
   * Largest entry around 1. `scratchPtr`: `eigenScratchBytes(dims).vectors`, kept between the calls.
   */
  tridiagonalise(
    matrixPtr: number,
    dims: number,
    fromRow: number,
    toRow: number,
    diagonalPtr: number,
    offDiagonalPtr: number,
    scratchPtr: number,
  ): void

  /**
   * Turns the reflectors into Z, in place: reflectors `fromRow` to `toRow` - 1, multiples of 4, from 0 up to dims rounded up
   * to a multiple of 4. `scratchPtr`: `eigenScratchBytes(dims).vectors`.
   */
  accumulateReflectors(matrixPtr: number, dims: number, fromRow: number, toRow: number, scratchPtr: number): void

  /**
   * Implicit QL sweeps on T, recorded for `applySweeps` (`sweepBytes(dims)` each), at most `sweepLimit` a call. Returns how
   * many; all eigenvalues stand in the diagonal when they are fewer than `sweepLimit`. Returns -1 when one eigenvalue takes
   * more than 60 sweeps. Off-diagonal entries up to `tolerance` count as zero. `statePtr`: 8 bytes, zero before the first
   * call: uint32 eigenvalues found, uint32 sweeps spent on the next one.
   */
  recordSweeps(
    dims: number,
    diagonalPtr: number,
    offDiagonalPtr: number,
    tolerance: number,
    statePtr: number,
    sweepsPtr: number,
    sweepLimit: number,
  ): number

  /**
   * Applies recorded sweeps, in their order, to the rows of `panelCount` panels. A panel holds 8 columns of Z: `dims` rows
   * of 8 float64.
   */
  applySweeps(panelsPtr: number, dims: number, panelCount: number, sweepsPtr: number, sweepCount: number): void
}

/** Columns of a panel: a cache line of float64. */
export const PANEL_COLUMNS = 8

/** Sweeps recorded before they are applied: half a MiB of rotations at 1,024 dims. */
export const SWEEP_LIMIT = 32

/** Rows that `addMoments` and `multiplyF64` pack at once: `INNER_BLOCK` in `assembly/tile.ts`. */
const INNER_BLOCK = 64

/** float64 in a matrix row: `columns` rounded up to a cache line. */
export function paddedF64(columns: number): number {
  return Math.ceil(columns / 8) * 8
}

export function matrixF64Bytes(rows: number, columns: number): number {
  return 8 * paddedF64(rows) * paddedF64(columns)
}

export function momentScratchBytes(dims: number): number {
  return 8 * INNER_BLOCK * paddedF64(dims)
}

export function multiplyScratchBytes(n: number, k: number): number {
  return 8 * INNER_BLOCK * (paddedF64(n) + paddedF64(k))
}

/** Header and one rotation for each two neighbouring rows. */
export function sweepBytes(dims: number): number {
  return 16 * (dims + 1)
}

/** Regions of an eigen-decomposition, in bytes; `matrix` is the input and is overwritten. */
export function eigenScratchBytes(dims: number): Record<EigenRegion, number> {
  return {
    matrix: matrixF64Bytes(dims, dims),
    panels: 8 * paddedF64(dims) * dims,
    diagonal: 8 * paddedF64(dims),
    offDiagonal: 8 * paddedF64(dims),
    vectors: 4 * 8 * paddedF64(dims),
    state: 64,
    sweeps: SWEEP_LIMIT * sweepBytes(dims),
  }
}

export type EigenRegion = 'matrix' | 'panels' | 'diagonal' | 'offDiagonal' | 'vectors' | 'state' | 'sweeps'

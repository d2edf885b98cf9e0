/**
 * The kernels that apply a rotation to rows of float32: the part of the linear algebra that the core carries.
 *
 * Both implementations, `assembly/rotate.ts` and `assembly/hadamard.ts` and the plain TypeScript of `reference/rotate.ts`,
 * add in the same order, without fused or relaxed instructions, so that they give the same bits everywhere. Float32 rows are
 * a multiple of 64 bytes and zero behind the last dimension. Addresses are multiples of 4. Inputs are finite.
 */
export interface RotateKernels {
  /**
   * out = rows · matrix in float32. The matrix has one row of `outRowBytes` for each of the `rowBytes / 4` float32 of a row;
   * rows beyond the last dimension may hold any finite numbers. A row gives the same bits alone as among others.
   * `scratchPtr`: `rotateScratchBytes(rowBytes)`.
   */
  rotateRows(
    rowsPtr: number,
    rowBytes: number,
    rowCount: number,
    matrixPtr: number,
    outPtr: number,
    outRowBytes: number,
    scratchPtr: number,
  ): void

  /**
   * In place: the first blockDims · blockCount float32 of each row times `signs` (as many float32, +1 or -1) times `scale`,
   * then each block times the Walsh-Hadamard matrix. `blockDims` is a power of two, 1 and 2 included; with a scale of
   * 1 / sqrt(blockDims) the map is orthogonal. Its inverse: the same with signs of 1, then a product with the signs.
   */
  hadamardRows(
    rowsPtr: number,
    rowBytes: number,
    rowCount: number,
    blockDims: number,
    blockCount: number,
    signsPtr: number,
    scale: number,
  ): void
}

/** A packed panel of 8 columns. */
export function rotateScratchBytes(rowBytes: number): number {
  return 8 * rowBytes
}

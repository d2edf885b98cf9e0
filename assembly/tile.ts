/** Columns of a packed panel. The scratch of the kernels below is sized in `src/kernels/linear-kernels.ts`. */
export const PANEL: usize = 4

/** Inner steps that are packed at once: 64 rows of 1,024 float64 are half a MiB, which stays in a level-2 cache. */
export const INNER_BLOCK: usize = 64

/** Bytes of a row of float64: a multiple of 64. */
export function rowBytesF64(columns: usize): usize {
  return ((columns + 7) & ~7) << 3
}

/**
 * Adds to a 4 x 4 tile of float64 the products of two packed panels: out[i][j] += a[p][i] · b[p][j], p from 0 up. Each
 * sum runs in the order of p through one accumulator, so that cutting p into blocks does not change a bit.
 */
export function addTile(aPtr: usize, bPtr: usize, innerCount: usize, outPtr: usize, outRowBytes: usize): void {
  const row1 = outPtr + outRowBytes
  const row2 = row1 + outRowBytes
  const row3 = row2 + outRowBytes
  // 8 accumulators, 2 loads of b, 4 splats of a and 16 operations a step: arithmetic, not loads, sets the pace.
  let c00 = v128.load(outPtr)
  let c01 = v128.load(outPtr, 16)
  let c10 = v128.load(row1)
  let c11 = v128.load(row1, 16)
  let c20 = v128.load(row2)
  let c21 = v128.load(row2, 16)
  let c30 = v128.load(row3)
  let c31 = v128.load(row3, 16)
  for (; innerCount; --innerCount) {
    const b0 = v128.load(bPtr)
    const b1 = v128.load(bPtr, 16)
    const a0 = v128.load64_splat(aPtr)
    c00 = f64x2.add(c00, f64x2.mul(a0, b0))
    c01 = f64x2.add(c01, f64x2.mul(a0, b1))
    const a1 = v128.load64_splat(aPtr, 8)
    c10 = f64x2.add(c10, f64x2.mul(a1, b0))
    c11 = f64x2.add(c11, f64x2.mul(a1, b1))
    const a2 = v128.load64_splat(aPtr, 16)
    c20 = f64x2.add(c20, f64x2.mul(a2, b0))
    c21 = f64x2.add(c21, f64x2.mul(a2, b1))
    const a3 = v128.load64_splat(aPtr, 24)
    c30 = f64x2.add(c30, f64x2.mul(a3, b0))
    c31 = f64x2.add(c31, f64x2.mul(a3, b1))
    aPtr += 32
    bPtr += 32
  }
  v128.store(outPtr, c00)
  v128.store(outPtr, c01, 16)
  v128.store(row1, c10)
  v128.store(row1, c11, 16)
  v128.store(row2, c20)
  v128.store(row2, c21, 16)
  v128.store(row3, c30)
  v128.store(row3, c31, 16)
}

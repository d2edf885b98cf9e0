/** Bytes of rows that meet every column panel while they stay in the cache. */
const BLOCK_BYTES: usize = 1 << 19

/**
 * out = rows times matrix. Every sum starts at 0 and runs in the order of the matrix' rows, whichever path computes it: a
 * row gives the same bits alone as among others.
 */
export function rotateRows(
  rowsPtr: usize,
  rowBytes: usize,
  rowCount: usize,
  matrixPtr: usize,
  outPtr: usize,
  outRowBytes: usize,
  scratchPtr: usize,
): void {
  assert(rowBytes % 64 === 0, 'rowBytes must be a multiple of 64')
  assert(outRowBytes % 64 === 0, 'outRowBytes must be a multiple of 64')
  const inner = rowBytes >> 2
  const blockRows = max<usize>(64, (BLOCK_BYTES / rowBytes) & ~3)
  const tiledRows = rowCount & ~3
  for (let first: usize = 0; first < tiledRows; first += blockRows) {
    const blockPtr = rowsPtr + first * rowBytes
    const blockOutPtr = outPtr + first * outRowBytes
    const count = min<usize>(blockRows, tiledRows - first)
    for (let column: usize = 0; column < outRowBytes; column += 32) {
      // 8 columns as one dense panel: at 1,024 dims its rows would otherwise all fall into one set of the cache.
      packColumns(matrixPtr + column, outRowBytes, inner, scratchPtr)
      for (let row: usize = 0; row < count; row += 4) {
        tile(
          blockPtr + row * rowBytes,
          rowBytes,
          scratchPtr,
          inner,
          blockOutPtr + row * outRowBytes + column,
          outRowBytes,
        )
      }
    }
  }
  for (let row = tiledRows; row < rowCount; ++row) {
    rotateRow(rowsPtr + row * rowBytes, rowBytes, matrixPtr, outPtr + row * outRowBytes, outRowBytes)
  }
}

function packColumns(ptr: usize, rowBytes: usize, inner: usize, packedPtr: usize): void {
  for (; inner; --inner) {
    v128.store(packedPtr, v128.load(ptr))
    v128.store(packedPtr, v128.load(ptr, 16), 16)
    packedPtr += 32
    ptr += rowBytes
  }
}

/** 4 rows x 8 columns in 8 accumulators: 2 loads and 4 splats for 16 operations. */
function tile(aPtr: usize, aRowBytes: usize, bPtr: usize, inner: usize, outPtr: usize, outRowBytes: usize): void {
  let a1 = aPtr + aRowBytes
  let a2 = a1 + aRowBytes
  let a3 = a2 + aRowBytes
  let c00 = f32x4.splat(0)
  let c01 = c00
  let c10 = c00
  let c11 = c00
  let c20 = c00
  let c21 = c00
  let c30 = c00
  let c31 = c00
  for (; inner; --inner) {
    const b0 = v128.load(bPtr)
    const b1 = v128.load(bPtr, 16)
    const x0 = v128.load32_splat(aPtr)
    c00 = f32x4.add(c00, f32x4.mul(x0, b0))
    c01 = f32x4.add(c01, f32x4.mul(x0, b1))
    const x1 = v128.load32_splat(a1)
    c10 = f32x4.add(c10, f32x4.mul(x1, b0))
    c11 = f32x4.add(c11, f32x4.mul(x1, b1))
    const x2 = v128.load32_splat(a2)
    c20 = f32x4.add(c20, f32x4.mul(x2, b0))
    c21 = f32x4.add(c21, f32x4.mul(x2, b1))
    const x3 = v128.load32_splat(a3)
    c30 = f32x4.add(c30, f32x4.mul(x3, b0))
    c31 = f32x4.add(c31, f32x4.mul(x3, b1))
    aPtr += 4
    a1 += 4
    a2 += 4
    a3 += 4
    bPtr += 32
  }
  v128.store(outPtr, c00)
  v128.store(outPtr, c01, 16)
  outPtr += outRowBytes
  v128.store(outPtr, c10)
  v128.store(outPtr, c11, 16)
  outPtr += outRowBytes
  v128.store(outPtr, c20)
  v128.store(outPtr, c21, 16)
  outPtr += outRowBytes
  v128.store(outPtr, c30)
  v128.store(outPtr, c31, 16)
}

/** One row walks the matrix once, in sequence: 4 matrix rows a pass share one load and store of the sums. */
function rotateRow(rowPtr: usize, rowBytes: usize, matrixPtr: usize, outPtr: usize, outRowBytes: usize): void {
  memory.fill(outPtr, 0, outRowBytes)
  for (const end = rowPtr + rowBytes; rowPtr !== end; rowPtr += 16) {
    const x0 = v128.load32_splat(rowPtr)
    const x1 = v128.load32_splat(rowPtr, 4)
    const x2 = v128.load32_splat(rowPtr, 8)
    const x3 = v128.load32_splat(rowPtr, 12)
    for (let column: usize = 0; column < outRowBytes; column += 16) {
      let b = matrixPtr + column
      let sum = f32x4.add(v128.load(outPtr + column), f32x4.mul(x0, v128.load(b)))
      b += outRowBytes
      sum = f32x4.add(sum, f32x4.mul(x1, v128.load(b)))
      b += outRowBytes
      sum = f32x4.add(sum, f32x4.mul(x2, v128.load(b)))
      sum = f32x4.add(sum, f32x4.mul(x3, v128.load(b + outRowBytes)))
      v128.store(outPtr + column, sum)
    }
    matrixPtr += outRowBytes << 2
  }
}

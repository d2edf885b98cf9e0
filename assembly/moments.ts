import { addTile, INNER_BLOCK, PANEL, rowBytesF64 } from './tile'

/**
 * Adds rows to the second moments (the lower triangle; the few entries above it that a 4 x 4 tile on the diagonal also
 * holds are right, the others stay as they were) and to the column sums.
 */
export function addMoments(
  valuesPtr: usize,
  valueRowBytes: usize,
  rowCount: usize,
  dims: usize,
  momentsPtr: usize,
  sumsPtr: usize,
  scratchPtr: usize,
): void {
  assert(valueRowBytes % 64 === 0, 'valueRowBytes must be a multiple of 64')
  assert(dims << 2 <= valueRowBytes, 'dims must fit valueRowBytes')
  const rowBytes = rowBytesF64(dims)
  const panels = (dims + PANEL - 1) / PANEL
  for (let first: usize = 0; first < rowCount; first += INNER_BLOCK) {
    const rows = min<usize>(INNER_BLOCK, rowCount - first)
    const panelBytes = rows * PANEL * 8
    packRows(valuesPtr + first * valueRowBytes, valueRowBytes, rows, panels, sumsPtr, scratchPtr)
    for (let i: usize = 0; i < panels; ++i) {
      const outPtr = momentsPtr + i * PANEL * rowBytes
      for (let j: usize = 0; j <= i; ++j) {
        addTile(scratchPtr + i * panelBytes, scratchPtr + j * panelBytes, rows, outPtr + ((j * PANEL) << 3), rowBytes)
      }
    }
  }
}

/** Float32 rows as float64 panels of 4 columns (a product of two float32 is exact in float64), summed on the way. */
function packRows(
  valuesPtr: usize,
  valueRowBytes: usize,
  rowCount: usize,
  panels: usize,
  sumsPtr: usize,
  packedPtr: usize,
): void {
  for (let panel: usize = 0; panel < panels; ++panel) {
    let sumLow = v128.load(sumsPtr)
    let sumHigh = v128.load(sumsPtr, 16)
    let ptr = valuesPtr + (panel << 4)
    for (let left = rowCount; left; --left) {
      const low = f64x2.promote_low_f32x4(v128.load64_zero(ptr))
      const high = f64x2.promote_low_f32x4(v128.load64_zero(ptr, 8))
      sumLow = f64x2.add(sumLow, low)
      sumHigh = f64x2.add(sumHigh, high)
      v128.store(packedPtr, low)
      v128.store(packedPtr, high, 16)
      packedPtr += 32
      ptr += valueRowBytes
    }
    v128.store(sumsPtr, sumLow)
    v128.store(sumsPtr, sumHigh, 16)
    sumsPtr += 32
  }
}

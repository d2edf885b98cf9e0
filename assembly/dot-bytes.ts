import { Lanes } from './lanes'

/**
 * An int32 holds the sum of any codes with the query, counted from `start`: no lane holds more than all of them together, and
 * what a partial sum wraps around, the rest brings back. Codes are -128 to 127 or 0 to 255.
 */
export function checkSums<T>(queryPtr: usize, rowBytes: usize, start: i32): void {
  let least: i64 = start
  let greatest: i64 = start
  for (let byte: usize = 0; byte < rowBytes; ++byte) {
    const value = <i64>load<i16>(queryPtr + (byte << 1))
    const lowest = value * (isSigned<T>() ? -128 : 0)
    const highest = value * (isSigned<T>() ? 127 : 255)
    least += min(lowest, highest)
    greatest += max(lowest, highest)
  }
  assert(least >= <i64>i32.MIN_VALUE && greatest <= <i64>i32.MAX_VALUE, 'sums must fit an int32')
}

/** Scores of the rows of one tile: four quarters of it in lock step, then the rows left over. */
export function dotFourStreams<T>(
  queryPtr: usize,
  rowsPtr: usize,
  rowCount: usize,
  rowBytes: usize,
  start: i32,
  scoresPtr: usize,
): void {
  const streamRows = rowCount >> 2
  const rowStride = streamRows * rowBytes
  const scoreStride = streamRows << 2
  for (let left = streamRows; left; --left) {
    let a = i32x4.replace_lane(i32x4.splat(0), 0, start)
    let b = a
    let c = a
    let d = a
    for (let byte: usize = 0; byte < rowBytes; byte += 16) {
      const low = v128.load(queryPtr + (byte << 1))
      const high = v128.load(queryPtr + (byte << 1), 16)
      let row = rowsPtr + byte
      a = i32x4.add(a, Lanes.dot16<T>(low, high, row))
      row += rowStride
      b = i32x4.add(b, Lanes.dot16<T>(low, high, row))
      row += rowStride
      c = i32x4.add(c, Lanes.dot16<T>(low, high, row))
      d = i32x4.add(d, Lanes.dot16<T>(low, high, row + rowStride))
    }
    let scores = scoresPtr
    store<i32>(scores, Lanes.sumI32(a))
    scores += scoreStride
    store<i32>(scores, Lanes.sumI32(b))
    scores += scoreStride
    store<i32>(scores, Lanes.sumI32(c))
    store<i32>(scores + scoreStride, Lanes.sumI32(d))
    rowsPtr += rowBytes
    scoresPtr += 4
  }
  rowsPtr += 3 * rowStride
  scoresPtr += 3 * scoreStride
  dotRest<T>(queryPtr, rowsPtr, rowCount & 3, rowBytes, start, scoresPtr)
}

/** Eight parts: 0.91 times the time of four where codes come from memory, 1.17 times in the cache (measured). */
export function dotEightStreams<T>(
  queryPtr: usize,
  rowsPtr: usize,
  rowCount: usize,
  rowBytes: usize,
  start: i32,
  scoresPtr: usize,
): void {
  const streamRows = rowCount >> 3
  const rowStride = streamRows * rowBytes
  const scoreStride = streamRows << 2
  for (let left = streamRows; left; --left) {
    let a = i32x4.replace_lane(i32x4.splat(0), 0, start)
    let b = a
    let c = a
    let d = a
    let e = a
    let f = a
    let g = a
    let h = a
    for (let byte: usize = 0; byte < rowBytes; byte += 16) {
      const low = v128.load(queryPtr + (byte << 1))
      const high = v128.load(queryPtr + (byte << 1), 16)
      let row = rowsPtr + byte
      a = i32x4.add(a, Lanes.dot16<T>(low, high, row))
      row += rowStride
      b = i32x4.add(b, Lanes.dot16<T>(low, high, row))
      row += rowStride
      c = i32x4.add(c, Lanes.dot16<T>(low, high, row))
      row += rowStride
      d = i32x4.add(d, Lanes.dot16<T>(low, high, row))
      row += rowStride
      e = i32x4.add(e, Lanes.dot16<T>(low, high, row))
      row += rowStride
      f = i32x4.add(f, Lanes.dot16<T>(low, high, row))
      row += rowStride
      g = i32x4.add(g, Lanes.dot16<T>(low, high, row))
      h = i32x4.add(h, Lanes.dot16<T>(low, high, row + rowStride))
    }
    let scores = scoresPtr
    store<i32>(scores, Lanes.sumI32(a))
    scores += scoreStride
    store<i32>(scores, Lanes.sumI32(b))
    scores += scoreStride
    store<i32>(scores, Lanes.sumI32(c))
    scores += scoreStride
    store<i32>(scores, Lanes.sumI32(d))
    scores += scoreStride
    store<i32>(scores, Lanes.sumI32(e))
    scores += scoreStride
    store<i32>(scores, Lanes.sumI32(f))
    scores += scoreStride
    store<i32>(scores, Lanes.sumI32(g))
    store<i32>(scores + scoreStride, Lanes.sumI32(h))
    rowsPtr += rowBytes
    scoresPtr += 4
  }
  rowsPtr += 7 * rowStride
  scoresPtr += 7 * scoreStride
  dotRest<T>(queryPtr, rowsPtr, rowCount & 7, rowBytes, start, scoresPtr)
}

/** The rows that fill no step of all streams. */
function dotRest<T>(
  queryPtr: usize,
  rowsPtr: usize,
  rowCount: usize,
  rowBytes: usize,
  start: i32,
  scoresPtr: usize,
): void {
  for (let left = rowCount; left; --left) {
    let sum = i32x4.replace_lane(i32x4.splat(0), 0, start)
    for (let byte: usize = 0; byte < rowBytes; byte += 16) {
      const query = queryPtr + (byte << 1)
      sum = i32x4.add(sum, Lanes.dot16<T>(v128.load(query), v128.load(query, 16), rowsPtr + byte))
    }
    store<i32>(scoresPtr, Lanes.sumI32(sum))
    rowsPtr += rowBytes
    scoresPtr += 4
  }
}

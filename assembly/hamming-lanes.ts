import { scanRest } from './hamming-scan'

/** Popcounts of 31 vectors fit a lane of 8 bits: 31 · 8 = 248. */
const BLOCK_BYTES: usize = 31 << 4

/**
 * `scanTile` with `i8x16.popcnt`, 16 bytes at a time: the form for Arm, where `i64.popcnt` goes through the vector unit and
 * back. Two widths have loops of their own (1.13 times); wider rows gain nothing by them.
 */
export function scanTileLanes(
  queryPtr: usize,
  rowsPtr: usize,
  rowCount: usize,
  rowBytes: usize,
  distancesPtr: usize,
): void {
  const inStreams = rowCount & ~7
  if (rowBytes === 48) lanes48(queryPtr, rowsPtr, inStreams, distancesPtr)
  else if (rowBytes === 64) lanes64(queryPtr, rowsPtr, inStreams, distancesPtr)
  else lanesAny(queryPtr, rowsPtr, inStreams, rowBytes, distancesPtr)
  scanRest(queryPtr, rowsPtr, inStreams, rowCount, rowBytes, distancesPtr)
}

function lanes48(queryPtr: usize, rowsPtr: usize, rowCount: usize, distancesPtr: usize): void {
  Vectors.scan(3, queryPtr, rowsPtr, rowCount, distancesPtr)
}

function lanes64(queryPtr: usize, rowsPtr: usize, rowCount: usize, distancesPtr: usize): void {
  Vectors.scan(4, queryPtr, rowsPtr, rowCount, distancesPtr)
}

/** Any width: four streams, a block of vectors of all of them in 8-bit lanes, then widened. */
function lanesAny(queryPtr: usize, rowsPtr: usize, rowCount: usize, rowBytes: usize, distancesPtr: usize): void {
  const streamRows = rowCount >> 2
  const rowStride = streamRows * rowBytes
  const distanceStride = streamRows << 1
  const inVectors = rowBytes & ~15
  for (let left = streamRows; left; --left) {
    let a = i16x8.splat(0)
    let b = i16x8.splat(0)
    let c = i16x8.splat(0)
    let d = i16x8.splat(0)
    let byte: usize = 0
    while (byte < inVectors) {
      const end = min<usize>(byte + BLOCK_BYTES, inVectors)
      let a8 = i8x16.splat(0)
      let b8 = i8x16.splat(0)
      let c8 = i8x16.splat(0)
      let d8 = i8x16.splat(0)
      for (; byte < end; byte += 16) {
        const query = v128.load(queryPtr + byte)
        let row = rowsPtr + byte
        a8 = i8x16.add(a8, Vectors.differing(query, v128.load(row)))
        row += rowStride
        b8 = i8x16.add(b8, Vectors.differing(query, v128.load(row)))
        row += rowStride
        c8 = i8x16.add(c8, Vectors.differing(query, v128.load(row)))
        d8 = i8x16.add(d8, Vectors.differing(query, v128.load(row + rowStride)))
      }
      a = i16x8.add(a, i16x8.extadd_pairwise_i8x16_u(a8))
      b = i16x8.add(b, i16x8.extadd_pairwise_i8x16_u(b8))
      c = i16x8.add(c, i16x8.extadd_pairwise_i8x16_u(c8))
      d = i16x8.add(d, i16x8.extadd_pairwise_i8x16_u(d8))
    }
    if (byte < rowBytes) {
      const query = v128.load64_zero(queryPtr + byte)
      let row = rowsPtr + byte
      a = i16x8.add(a, i16x8.extadd_pairwise_i8x16_u(Vectors.differing(query, v128.load64_zero(row))))
      row += rowStride
      b = i16x8.add(b, i16x8.extadd_pairwise_i8x16_u(Vectors.differing(query, v128.load64_zero(row))))
      row += rowStride
      c = i16x8.add(c, i16x8.extadd_pairwise_i8x16_u(Vectors.differing(query, v128.load64_zero(row))))
      row += rowStride
      d = i16x8.add(d, i16x8.extadd_pairwise_i8x16_u(Vectors.differing(query, v128.load64_zero(row))))
    }
    Vectors.storeSums(a, b, c, d, distancesPtr, distanceStride)
    rowsPtr += rowBytes
    distancesPtr += 2
  }
}

// biome-ignore lint/complexity/noStaticOnlyClass: TypeScript's grammar takes @inline on a method only
class Vectors {
  /** Differing bits of each byte: 0 to 8. */
  @inline static differing(query: v128, row: v128): v128 {
    return i8x16.popcnt(v128.xor(query, row))
  }

  /**
   * The loop over rows of `vectors` (3 or 4) vectors, a literal at every call so that only the terms of that width remain:
   * eight streams of neighbouring rows in lock step.
   */
  @inline static scan(vectors: i32, queryPtr: usize, rowsPtr: usize, rowCount: usize, distancesPtr: usize): void {
    const q0 = v128.load(queryPtr)
    const q1 = v128.load(queryPtr, 16)
    const q2 = v128.load(queryPtr, 32)
    const streamRows = rowCount >> 3
    const rowStride = (streamRows * vectors) << 4
    const distanceStride = streamRows << 1
    for (let left = streamRows; left; --left) {
      let row = rowsPtr
      const a = Vectors.row(vectors, queryPtr, row, q0, q1, q2)
      row += rowStride
      const b = Vectors.row(vectors, queryPtr, row, q0, q1, q2)
      row += rowStride
      const c = Vectors.row(vectors, queryPtr, row, q0, q1, q2)
      row += rowStride
      const d = Vectors.row(vectors, queryPtr, row, q0, q1, q2)
      row += rowStride
      Vectors.storeSums(a, b, c, d, distancesPtr, distanceStride)
      const e = Vectors.row(vectors, queryPtr, row, q0, q1, q2)
      row += rowStride
      const f = Vectors.row(vectors, queryPtr, row, q0, q1, q2)
      row += rowStride
      const g = Vectors.row(vectors, queryPtr, row, q0, q1, q2)
      row += rowStride
      const h = Vectors.row(vectors, queryPtr, row, q0, q1, q2)
      Vectors.storeSums(e, f, g, h, distancesPtr + (distanceStride << 2), distanceStride)
      rowsPtr += vectors << 4
      distancesPtr += 2
    }
  }

  /** Eight 16-bit sums of a row: 8-bit lanes of at most 4 · 8, then added in pairs. */
  @inline static row(vectors: i32, queryPtr: usize, rowPtr: usize, q0: v128, q1: v128, q2: v128): v128 {
    let bits = i8x16.add(
      i8x16.add(Vectors.differing(q0, v128.load(rowPtr)), Vectors.differing(q1, v128.load(rowPtr, 16))),
      Vectors.differing(q2, v128.load(rowPtr, 32)),
    )
    if (vectors > 3) bits = i8x16.add(bits, Vectors.differing(v128.load(queryPtr, 48), v128.load(rowPtr, 48)))
    return i16x8.extadd_pairwise_i8x16_u(bits)
  }

  /**
   * Adds up the eight 16-bit lanes of each of four rows and stores the sums, `stride` bytes apart. Two rows are folded into
   * one vector, then four; a lane is at most 8,192 at first (8,192 bytes a row), then 16,384, 32,768, and widened at last.
   */
  @inline static storeSums(a: v128, b: v128, c: v128, d: v128, distancesPtr: usize, stride: usize): void {
    const ab = i16x8.add(i64x2.shuffle(a, b, 0, 2), i64x2.shuffle(a, b, 1, 3))
    const cd = i16x8.add(i64x2.shuffle(c, d, 0, 2), i64x2.shuffle(c, d, 1, 3))
    const abcd = i16x8.add(i32x4.shuffle(ab, cd, 0, 2, 4, 6), i32x4.shuffle(ab, cd, 1, 3, 5, 7))
    const sums = i32x4.extadd_pairwise_i16x8_u(abcd)
    v128.store16_lane(distancesPtr, sums, 0)
    distancesPtr += stride
    v128.store16_lane(distancesPtr, sums, 2)
    distancesPtr += stride
    v128.store16_lane(distancesPtr, sums, 4)
    v128.store16_lane(distancesPtr + stride, sums, 6)
  }
}

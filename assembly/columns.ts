/** Rows of a group: their bytes of one column fill a vector. */
export const GROUP_ROWS: usize = 16

/**
 * Turns 4 · `streamRows` rows (`streamRows` a multiple of 4) into columns, 16 rows a group: `rowBytes` vectors, each with
 * one byte of 16 rows. A group takes four neighbours of each quarter of the rows: four prefetch streams.
 */
export function rowsToColumns(rowsPtr: usize, streamRows: usize, rowBytes: usize, columnsPtr: usize): void {
  const stride = streamRows * rowBytes
  for (let row: usize = 0; row < streamRows; row += 4) {
    for (let byte: usize = 0; byte < rowBytes; byte += 8) {
      transpose(rowsPtr + byte, stride, rowBytes, columnsPtr)
      columnsPtr += 128
    }
    rowsPtr += rowBytes << 2
  }
}

/**
 * Eight bytes of 16 rows to eight columns. Each step interleaves the bytes of two registers: it moves the highest bit of
 * the byte number from the lane to the register, and a bit of the row number to the end of the lane. After four of them
 * the row number, its highest bit first, is the lane. The way to column 0, each lane a row (0 to f) and one of its bytes:
 *
 *     row 0           0.0 0.1 0.2 0.3 0.4 0.5 0.6 0.7
 *     row 8           8.0 8.1 8.2 8.3 8.4 8.5 8.6 8.7
 *     a0              0.0 8.0 0.1 8.1 0.2 8.2 0.3 8.3 0.4 8.4 0.5 8.5 0.6 8.6 0.7 8.7
 *     low(a0, a4)     0.0 4.0 8.0 c.0 0.1 4.1 8.1 c.1 0.2 4.2 8.2 c.2 0.3 4.3 8.3 c.3
 *     low(b0, b2)     0.0 2.0 4.0 6.0 8.0 a.0 c.0 e.0 0.1 2.1 4.1 6.1 8.1 a.1 c.1 e.1
 *     low(even, odd)  0.0 1.0 2.0 3.0 4.0 5.0 6.0 7.0 8.0 9.0 a.0 b.0 c.0 d.0 e.0 f.0
 */
function transpose(rowsPtr: usize, stride: usize, rowBytes: usize, columnsPtr: usize): void {
  const far = stride << 1
  let row = rowsPtr
  const a0 = Bytes.pair(row, far)
  row += rowBytes
  const a1 = Bytes.pair(row, far)
  row += rowBytes
  const a2 = Bytes.pair(row, far)
  row += rowBytes
  const a3 = Bytes.pair(row, far)
  row = rowsPtr + stride
  const a4 = Bytes.pair(row, far)
  row += rowBytes
  const a5 = Bytes.pair(row, far)
  row += rowBytes
  const a6 = Bytes.pair(row, far)
  row += rowBytes
  const a7 = Bytes.pair(row, far)
  Bytes.columns4(Bytes.low(a0, a4), Bytes.low(a1, a5), Bytes.low(a2, a6), Bytes.low(a3, a7), columnsPtr)
  Bytes.columns4(Bytes.high(a0, a4), Bytes.high(a1, a5), Bytes.high(a2, a6), Bytes.high(a3, a7), columnsPtr + 64)
}

// biome-ignore lint/complexity/noStaticOnlyClass: TypeScript's grammar takes @inline on a method only
export class Bytes {
  /** The first step: eight bytes of two rows. */
  @inline static pair(rowPtr: usize, far: usize): v128 {
    return Bytes.low(v128.load64_zero(rowPtr), v128.load64_zero(rowPtr + far))
  }

  /** The last two steps, for four of the columns. */
  @inline static columns4(b0: v128, b1: v128, b2: v128, b3: v128, columnsPtr: usize): void {
    const even = Bytes.low(b0, b2)
    const odd = Bytes.low(b1, b3)
    v128.store(columnsPtr, Bytes.low(even, odd))
    v128.store(columnsPtr, Bytes.high(even, odd), 16)
    const evenHigh = Bytes.high(b0, b2)
    const oddHigh = Bytes.high(b1, b3)
    v128.store(columnsPtr, Bytes.low(evenHigh, oddHigh), 32)
    v128.store(columnsPtr, Bytes.high(evenHigh, oddHigh), 48)
  }

  @inline static low(a: v128, b: v128): v128 {
    return i8x16.shuffle(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
  }

  @inline static high(a: v128, b: v128): v128 {
    return i8x16.shuffle(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)
  }
}

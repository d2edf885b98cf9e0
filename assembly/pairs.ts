/** The lower bits of all pairs of a word: 0x5555... */
const LOWER: u64 = u64.MAX_VALUE / 3

/**
 * Scores of one tile, the greatest that the query can reach less what the rows lack of it: four quarters of the tile in
 * lock step, then the rows left over. T is u8 for quaternary codes, i8 for ternary ones.
 */
export function dotPairs<T>(
  queryPtr: usize,
  rowsPtr: usize,
  rowCount: usize,
  rowBytes: usize,
  dims: i32,
  scoresPtr: usize,
): void {
  const greatest = isSigned<T>() ? 4 * (dims - zeros(queryPtr, rowBytes)) : 9 * dims
  const streamRows = rowCount >> 2
  const rowStride = streamRows * rowBytes
  const scoreStride = streamRows << 2
  for (let left = streamRows; left; --left) {
    let a: u64 = 0
    let b: u64 = 0
    let c: u64 = 0
    let d: u64 = 0
    let byte: usize = 0
    if (!isSigned<T>()) {
      for (; byte + 16 <= rowBytes; byte += 16) {
        const lower = Pairs.lower(queryPtr + byte)
        const upper = Pairs.upper(queryPtr + byte)
        let row = rowsPtr + byte
        a += Pairs.lackOfTwo(lower, upper, row)
        row += rowStride
        b += Pairs.lackOfTwo(lower, upper, row)
        row += rowStride
        c += Pairs.lackOfTwo(lower, upper, row)
        d += Pairs.lackOfTwo(lower, upper, row + rowStride)
      }
    }
    for (; byte < rowBytes; byte += 8) {
      const query = load<u64>(queryPtr + byte)
      const first = Pairs.first<T>(query)
      const second = Pairs.second<T>(query)
      let row = rowsPtr + byte
      a += Pairs.lack<T>(first, second, load<u64>(row))
      row += rowStride
      b += Pairs.lack<T>(first, second, load<u64>(row))
      row += rowStride
      c += Pairs.lack<T>(first, second, load<u64>(row))
      d += Pairs.lack<T>(first, second, load<u64>(row + rowStride))
    }
    let scores = scoresPtr
    store<i32>(scores, greatest - Pairs.scaled<T>(a))
    scores += scoreStride
    store<i32>(scores, greatest - Pairs.scaled<T>(b))
    scores += scoreStride
    store<i32>(scores, greatest - Pairs.scaled<T>(c))
    store<i32>(scores + scoreStride, greatest - Pairs.scaled<T>(d))
    rowsPtr += rowBytes
    scoresPtr += 4
  }
  rowsPtr += 3 * rowStride
  scoresPtr += 3 * scoreStride
  for (let left = rowCount & 3; left; --left) {
    let lack: u64 = 0
    for (let byte: usize = 0; byte < rowBytes; byte += 8) {
      const query = load<u64>(queryPtr + byte)
      lack += Pairs.lack<T>(Pairs.first<T>(query), Pairs.second<T>(query), load<u64>(rowsPtr + byte))
    }
    store<i32>(scoresPtr, greatest - Pairs.scaled<T>(lack))
    rowsPtr += rowBytes
    scoresPtr += 4
  }
}

/** Dimensions of a ternary query that are 0 (code 1): no row gains or loses by them. */
function zeros(queryPtr: usize, rowBytes: usize): i32 {
  let count: u64 = 0
  for (let byte: usize = 0; byte < rowBytes; byte += 8) count += popcnt<u64>(load<u64>(queryPtr + byte) & LOWER)
  return <i32>count
}

/**
 * What 32 dimensions lack of the greatest score. Two codes of 0, the padding, lack nothing.
 *
 * Quaternary, in units of 2: 2c - 3 = 2H + L, where H and L are the bits read as -1 and +1. A product of such signs is 1,
 * less 2 where the bits differ, so 4HH' + LL' + 2(HL' + LH') is 9 less 2, 6 more for the upper bit, and 4 for each bit of
 * the row that differs from the other bit of the query's pair.
 *
 * Ternary, in units of 4: where the query is -1, a row lacks its code, 0 to 2; where it is +1, 2 less that; where it is 0,
 * nothing. Turning the row's 10 into 11 makes its code a number of set bits, so that a flip and a mask are left to do.
 */
// biome-ignore lint/complexity/noStaticOnlyClass: TypeScript's grammar takes @inline on a method only
class Pairs {
  /** The query itself; or its flip: both bits of a pair where it is +1 (code 2). */
  @inline static first<T>(query: u64): u64 {
    return isSigned<T>() ? Pairs.both((query >> 1) & LOWER) : query
  }

  /** The query with the bits of each pair exchanged; or its mask: both bits of a pair where it is not 0 (code 1). */
  @inline static second<T>(query: u64): u64 {
    if (isSigned<T>()) return Pairs.both(~query & LOWER)
    return ((query & LOWER) << 1) | ((query >> 1) & LOWER)
  }

  @inline static lack<T>(first: u64, second: u64, row: u64): u64 {
    if (isSigned<T>()) return popcnt<u64>(((row | ((row >> 1) & LOWER)) ^ first) & second)
    const differ = first ^ row
    return popcnt<u64>(differ) + 3 * popcnt<u64>(differ & ~LOWER) + (popcnt<u64>(second ^ row) << 1)
  }

  /**
   * What 64 dimensions lack, quaternary: two words regrouped to one of lower and one of upper bits take four counts where
   * word by word it would be six, and counting, one word a cycle, sets the pace: 0.8 times the time (measured). The last
   * four pairs of both words, an upper bit (u, U) and a lower one (l, L) each:
   *
   *     first word   .. u3 l3 u2 l2 u1 l1 u0 l0
   *     second word  .. U3 L3 U2 L2 U1 L1 U0 L0
   *     swapped      .. 0 u3^L3 0 u2^L2 0 u1^L1 0 u0^L0
   *     lower        .. L3 l3 L2 l2 L1 l1 L0 l0          first word ^ swapped << 1
   *     upper        .. U3 u3 U2 u2 U1 u1 U0 u0          second word ^ swapped
   */
  @inline static lackOfTwo(lower: u64, upper: u64, rowPtr: usize): u64 {
    const rowLower = Pairs.lower(rowPtr)
    const rowUpper = Pairs.upper(rowPtr)
    const crossed = popcnt<u64>(rowLower ^ upper) + popcnt<u64>(rowUpper ^ lower)
    return popcnt<u64>(rowLower ^ lower) + (crossed << 1) + (popcnt<u64>(rowUpper ^ upper) << 2)
  }

  /** The lower bits of the pairs of two words. */
  @inline static lower(ptr: usize): u64 {
    return load<u64>(ptr) ^ (Pairs.swapped(ptr) << 1)
  }

  /** The upper bits of the pairs of two words, in the same order. */
  @inline static upper(ptr: usize): u64 {
    return load<u64>(ptr, 8) ^ Pairs.swapped(ptr)
  }

  /** What differs between the upper bits of the first word and the lower ones of the second, which change places. */
  @inline static swapped(ptr: usize): u64 {
    return ((load<u64>(ptr) >> 1) ^ load<u64>(ptr, 8)) & LOWER
  }

  @inline static scaled<T>(lack: u64): i32 {
    return (<i32>lack) << (isSigned<T>() ? 2 : 1)
  }

  /** A lower bit in both places of its pair. */
  @inline static both(lower: u64): u64 {
    return lower | (lower << 1)
  }
}

// biome-ignore lint/complexity/noStaticOnlyClass: TypeScript's grammar takes @inline on a method only
export class Nibbles {
  /**
   * Sums of four look-ups, those of two bytes of 16 rows; the tables stand one behind the other, 64 bytes. Their greatest
   * entries add up to at most 255, so that the sum fits a byte.
   */
  @inline static look2(tablesPtr: usize, first: v128, second: v128): v128 {
    return i8x16.add(
      Nibbles.look(v128.load(tablesPtr), v128.load(tablesPtr, 16), first),
      Nibbles.look(v128.load(tablesPtr, 32), v128.load(tablesPtr, 48), second),
    )
  }

  /**
   * Sums of the two look-ups of one byte of 16 rows. Both nibbles are masked: swizzle gives 0 for 16 and above, and the shift
   * by 4 brings bits of the next byte.
   *
   *     lane               row 0                row 1                ...  row 15
   *     bytes              h0 l0                h1 l1                ...  h15 l15      two nibbles
   *     shifted, masked    h0                   h1                   ...  h15
   *     swizzle of high    high[h0]             high[h1]             ...  high[h15]
   *     masked             l0                   l1                   ...  l15
   *     swizzle of low     low[l0]              low[l1]              ...  low[l15]
   *     sum                high[h0] + low[l0]   high[h1] + low[l1]   ...  high[h15] + low[l15]
   */
  @inline static look(high: v128, low: v128, bytes: v128): v128 {
    const mask = i8x16.splat(15)
    return i8x16.add(
      i8x16.swizzle(high, v128.and(i16x8.shr_u(bytes, 4), mask)),
      i8x16.swizzle(low, v128.and(bytes, mask)),
    )
  }

  /**
   * The sums of even rows. Sums of look-ups (s0 to s15, a byte each) are added to `words` as they are and to `odd` shifted:
   *
   *     lane of 16 bits  0               1               ...  7
   *     words            s0 + 256 · s1   s2 + 256 · s3   ...  s14 + 256 · s15   modulo 2^16
   *     odd              s1              s3              ...  s15
   *     words - odd<<8   s0              s2              ...  s14
   */
  @inline static even(words: v128, odd: v128): v128 {
    return i16x8.sub(words, i16x8.shl(odd, 8))
  }

  /** The distances of a group: even and odd rows back in order, four of them to each stream. */
  @inline static store(words: v128, odd: v128, distancesPtr: usize, streamBytes: usize): void {
    const even = Nibbles.even(words, odd)
    const first = i8x16.shuffle(even, odd, 0, 1, 16, 17, 2, 3, 18, 19, 4, 5, 20, 21, 6, 7, 22, 23)
    const second = i8x16.shuffle(even, odd, 8, 9, 24, 25, 10, 11, 26, 27, 12, 13, 28, 29, 14, 15, 30, 31)
    v128.store64_lane(distancesPtr, first, 0)
    distancesPtr += streamBytes
    v128.store64_lane(distancesPtr, first, 1)
    distancesPtr += streamBytes
    v128.store64_lane(distancesPtr, second, 0)
    v128.store64_lane(distancesPtr + streamBytes, second, 1)
  }
}

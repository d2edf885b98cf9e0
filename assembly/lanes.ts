/** Rows scored before the select runs: 4,096 scores of 4 bytes fit a level-1 cache. */
export const TILE_ROWS: usize = 4096

/** Bytes of a tile that several queries scan in turn: half of a 2 MiB level-2 cache. */
const TILE_BYTES: usize = 1 << 20

/** Rows of one tile: as many as the score buffer holds, fewer when such rows would not stay in the cache. */
export function tileRows(rowBytes: usize): usize {
  return min<usize>(TILE_ROWS, max<usize>(64, TILE_BYTES / rowBytes))
}

/**
 * Helpers that must be inlined. A class, because TypeScript's grammar has no place for a decorator on a plain function.
 */
// biome-ignore lint/complexity/noStaticOnlyClass: see above
export class Lanes {
  /** Sum of four int32 lanes: the upper pair is folded onto the lower one. */
  @inline static sumI32(v: v128): i32 {
    const pairs = i32x4.add(v, i32x4.shuffle(v, v, 2, 3, 0, 1))
    return i32x4.extract_lane(pairs, 0) + i32x4.extract_lane(pairs, 1)
  }

  /** Sum of four float32 lanes, in the order (0 + 2) + (1 + 3). */
  @inline static sumF32(v: v128): f32 {
    const pairs = f32x4.add(v, f32x4.shuffle(v, v, 2, 3, 0, 1))
    return f32x4.extract_lane(pairs, 0) + f32x4.extract_lane(pairs, 1)
  }

  /**
   * Int32 sums of 16 products of 8-bit codes (T: i8 or u8) with int16. Codes are widened to int16 while loading;
   * dot_i16x8 adds neighbours: at most 2 · 255 · 2^15 a step, below 2^24 · 2. What steps add up to is the caller's to bound.
   */
  @inline static dot16<T>(queryLow: v128, queryHigh: v128, codesPtr: usize): v128 {
    return i32x4.add(
      i32x4.dot_i16x8_s(v128.load_ext<T>(codesPtr), queryLow),
      i32x4.dot_i16x8_s(v128.load_ext<T>(codesPtr, 8), queryHigh),
    )
  }

  /** Four partial sums of 16 float32 products, added as a tree: one addition a step on the accumulator's chain. */
  @inline static dotF32(q0: v128, q1: v128, q2: v128, q3: v128, rowPtr: usize): v128 {
    return f32x4.add(
      f32x4.add(f32x4.mul(q0, v128.load(rowPtr)), f32x4.mul(q1, v128.load(rowPtr, 16))),
      f32x4.add(f32x4.mul(q2, v128.load(rowPtr, 32)), f32x4.mul(q3, v128.load(rowPtr, 48))),
    )
  }

  /** Four int16 (the lower or upper half of `v`) as float32, exactly. */
  @inline static lowToF32(v: v128): v128 {
    return f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(v))
  }

  @inline static highToF32(v: v128): v128 {
    return f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(v))
  }
}

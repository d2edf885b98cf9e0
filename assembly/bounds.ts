// What a scan's sum says of the exact score of its row, for one query: three float32, 16 bytes. The exact score lies between
// (sum · unit + low) · factor and (sum · unit + high) · factor, or the other way round where the factor is negative.
const HIGH: usize = 4
const LOW: usize = 8
const RECORD_SHIFT: usize = 4

/** Address of the record of query number `q`. */
export function boundOf(boundsPtr: usize, q: usize): usize {
  return boundsPtr + (q << RECORD_SHIFT)
}

/**
 * Turns the sums (int32) of a tile into keys of the greatest scores that they allow, in place. The last group of four may run
 * past `count`, in the tile and in the factors.
 */
export function sumsToBounds(sumsPtr: usize, count: usize, factorsPtr: usize, boundPtr: usize): void {
  const unit = v128.load32_splat(boundPtr)
  const high = v128.load32_splat(boundPtr, HIGH)
  const low = v128.load32_splat(boundPtr, LOW)
  for (let at: usize = 0; at < count << 2; at += 16) {
    const sums = v128.load(sumsPtr + at)
    v128.store(sumsPtr + at, Bounds.keys(sums, v128.load(factorsPtr + at), unit, high, low))
  }
}

/** The same from distances (uint16) to the greatest sum, eight rows at a time. */
export function distancesToBounds(
  distancesPtr: usize,
  count: usize,
  greatest: u32,
  factorsPtr: usize,
  boundPtr: usize,
  keysPtr: usize,
): void {
  const all = i32x4.splat(greatest)
  const unit = v128.load32_splat(boundPtr)
  const high = v128.load32_splat(boundPtr, HIGH)
  const low = v128.load32_splat(boundPtr, LOW)
  for (let at: usize = 0; at < count << 2; at += 32) {
    const distances = v128.load(distancesPtr + (at >> 1))
    const first = i32x4.sub(all, i32x4.extend_low_i16x8_u(distances))
    const second = i32x4.sub(all, i32x4.extend_high_i16x8_u(distances))
    v128.store(keysPtr + at, Bounds.keys(first, v128.load(factorsPtr + at), unit, high, low))
    v128.store(keysPtr + at, Bounds.keys(second, v128.load(factorsPtr + at, 16), unit, high, low), 16)
  }
}

// biome-ignore lint/complexity/noStaticOnlyClass: TypeScript's grammar takes @inline on a method only
class Bounds {
  /**
   * Keys of four rows. The greater bound is that of `high` for a positive factor, that of `low` for a negative one. Adding 0
   * makes -0 into 0, whose key is another.
   */
  @inline static keys(sums: v128, factors: v128, unit: v128, high: v128, low: v128): v128 {
    const scaled = f32x4.mul(f32x4.convert_i32x4_s(sums), unit)
    const bounds = f32x4.max(f32x4.mul(f32x4.add(scaled, high), factors), f32x4.mul(f32x4.add(scaled, low), factors))
    const bits = f32x4.add(bounds, f32x4.splat(0))
    return v128.xor(bits, v128.and(i32x4.shr_s(bits, 31), i32x4.splat(0x7fffffff)))
  }
}

/** The greatest factor of some rows; -1 where one is negative. */
export function greatestFactor(factorsPtr: usize, count: usize): f32 {
  let least: f32 = 0
  let most: f32 = 0
  const whole = count & ~3
  let leasts = f32x4.splat(0)
  let mosts = leasts
  for (let row: usize = 0; row < whole; row += 4) {
    const factors = v128.load(factorsPtr + (row << 2))
    leasts = f32x4.pmin(leasts, factors)
    mosts = f32x4.pmax(mosts, factors)
  }
  for (let row = whole; row < count; ++row) {
    const factor = load<f32>(factorsPtr + (row << 2))
    least = min(least, factor)
    most = max(most, factor)
  }
  if (v128.any_true(f32x4.lt(leasts, f32x4.splat(0))) || least < 0) return -1
  most = max(most, max(f32x4.extract_lane(mosts, 0), f32x4.extract_lane(mosts, 1)))
  return max(most, max(f32x4.extract_lane(mosts, 2), f32x4.extract_lane(mosts, 3)))
}

/**
 * The distance from which on no row of a tile can be better than `least`, the worst bound kept: 65,535 where that may be any.
 * A unit less than exact, so that float32 rounding, 0.02 units at most, never hides a row.
 */
export function boundLimit(least: f32, factor: f32, greatest: u32, boundPtr: usize): u32 {
  const unit = <f64>load<f32>(boundPtr)
  if (!(least > 0 && factor > 0 && unit > 0)) return 0xffff
  const sum = ((<f64>least * (1 - 1e-6)) / <f64>factor - <f64>load<f32>(boundPtr, HIGH)) / unit - 1
  if (!(sum > 0)) return 0xffff
  return sum >= <f64>greatest ? 0 : greatest - <u32>sum
}

import { scoresToKeys } from './order'

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
    const sums = f32x4.mul(f32x4.convert_i32x4_s(v128.load(sumsPtr + at)), unit)
    const factors = v128.load(factorsPtr + at)
    // The greater one is that of `high` for a positive factor, that of `low` for a negative one. Adding 0 makes -0 into 0.
    const bounds = f32x4.max(f32x4.mul(f32x4.add(sums, high), factors), f32x4.mul(f32x4.add(sums, low), factors))
    v128.store(sumsPtr + at, f32x4.add(bounds, f32x4.splat(0)))
  }
  scoresToKeys(sumsPtr, count)
}

/** The sums (int32) of rows whose distances (uint16) to the greatest sum are known. */
export function distancesToSums(distancesPtr: usize, count: usize, greatest: u32, sumsPtr: usize): void {
  const all = i32x4.splat(greatest)
  for (let at: usize = 0; at < count << 1; at += 16) {
    const distances = v128.load(distancesPtr + at)
    v128.store(sumsPtr + (at << 1), i32x4.sub(all, i32x4.extend_low_i16x8_u(distances)))
    v128.store(sumsPtr + (at << 1), i32x4.sub(all, i32x4.extend_high_i16x8_u(distances)), 16)
  }
}

/** The greatest factor of some rows; -1 where one is negative. */
export function greatestFactor(factorsPtr: usize, count: usize): f32 {
  let most: f32 = 0
  for (let row: usize = 0; row < count; ++row) {
    const factor = load<f32>(factorsPtr + (row << 2))
    if (factor < 0) return -1
    most = max(most, factor)
  }
  return most
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

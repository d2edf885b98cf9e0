/** Floats that are searched in four streams before the next ones: 64 KiB. */
const BLOCK_FLOATS: usize = 16_384

/** Lanes of -1 where four float32 are NaN or infinite: all exponent bits are set. */
function nonFinite(valuesPtr: usize): v128 {
  const exponent = i32x4.splat(0x7f800000)
  return i32x4.eq(v128.and(v128.load(valuesPtr), exponent), exponent)
}

function nonFinite16(valuesPtr: usize): v128 {
  return v128.or(
    v128.or(nonFinite(valuesPtr), nonFinite(valuesPtr + 16)),
    v128.or(nonFinite(valuesPtr + 32), nonFinite(valuesPtr + 48)),
  )
}

export function firstNonFinite(valuesPtr: usize, floatCount: usize): i32 {
  assert(floatCount % 16 === 0, 'floatCount must be a multiple of 16')
  for (let first: usize = 0; first < floatCount; first += BLOCK_FLOATS) {
    const blockPtr = valuesPtr + (first << 2)
    const count = min<usize>(BLOCK_FLOATS, floatCount - first)
    if (anyNonFinite(blockPtr, count)) return <i32>(first + positionOfNonFinite(blockPtr))
  }
  return -1
}

/** Four quarters in lock step (four prefetch streams), then the groups of 16 left over. */
function anyNonFinite(valuesPtr: usize, floatCount: usize): bool {
  const quarterBytes = (floatCount >> 6) << 6
  let found = i32x4.splat(0)
  let ptr = valuesPtr
  for (let left = quarterBytes; left; left -= 64) {
    let quarter = ptr
    found = v128.or(found, nonFinite16(quarter))
    quarter += quarterBytes
    found = v128.or(found, nonFinite16(quarter))
    quarter += quarterBytes
    found = v128.or(found, nonFinite16(quarter))
    found = v128.or(found, nonFinite16(quarter + quarterBytes))
    ptr += 64
  }
  ptr = valuesPtr + (quarterBytes << 2)
  for (let left = (floatCount << 2) - (quarterBytes << 2); left; left -= 64) {
    found = v128.or(found, nonFinite16(ptr))
    ptr += 64
  }
  return v128.any_true(found)
}

/** The first of them, where there is one. */
function positionOfNonFinite(valuesPtr: usize): usize {
  let position: usize = 0
  while (!v128.any_true(nonFinite(valuesPtr + (position << 2)))) position += 4
  return position + <usize>ctz<i32>(i32x4.bitmask(nonFinite(valuesPtr + (position << 2))))
}

export function minMax(valuesPtr: usize, valueRowBytes: usize, rowCount: usize, minsPtr: usize, maxsPtr: usize): void {
  assert(valueRowBytes % 64 === 0, 'valueRowBytes must be a multiple of 64')
  // Four rows a pass share one load and store of the extremes; a quarter of the rows apart, they are four streams.
  const quarterRows = rowCount >> 2
  const quarterBytes = quarterRows * valueRowBytes
  for (let left = quarterRows; left; --left) {
    for (let d: usize = 0; d < valueRowBytes; d += 16) {
      let values = valuesPtr + d
      const a = v128.load(values)
      values += quarterBytes
      const b = v128.load(values)
      values += quarterBytes
      const c = v128.load(values)
      const e = v128.load(values + quarterBytes)
      // pmin and pmax are one instruction where min and max are many; the accumulator stands first, so that it stays
      // where the comparison with a NaN is false.
      const lows = f32x4.pmin(f32x4.pmin(f32x4.pmin(f32x4.pmin(v128.load(minsPtr + d), a), b), c), e)
      const highs = f32x4.pmax(f32x4.pmax(f32x4.pmax(f32x4.pmax(v128.load(maxsPtr + d), a), b), c), e)
      v128.store(minsPtr + d, lows)
      v128.store(maxsPtr + d, highs)
    }
    valuesPtr += valueRowBytes
  }
  valuesPtr += 3 * quarterBytes
  for (let left = rowCount & 3; left; --left) {
    for (let d: usize = 0; d < valueRowBytes; d += 16) {
      const values = v128.load(valuesPtr + d)
      v128.store(minsPtr + d, f32x4.pmin(v128.load(minsPtr + d), values))
      v128.store(maxsPtr + d, f32x4.pmax(v128.load(maxsPtr + d), values))
    }
    valuesPtr += valueRowBytes
  }
}

export function levels2(
  valuesPtr: usize,
  valueRowBytes: usize,
  rowCount: usize,
  thresholdsPtr: usize,
  codesPtr: usize,
  codeRowBytes: usize,
): void {
  assert(codeRowBytes % 8 === 0, 'codeRowBytes must be a multiple of 8')
  assert(valueRowBytes >= codeRowBytes << 4, 'valueRowBytes must be at least 16 codeRowBytes')
  // Rows of four quarters in lock step, as in bucket.ts; four bytes of codes a step.
  const quarterRows = rowCount >> 2
  const valueStride = quarterRows * valueRowBytes
  const codeStride = quarterRows * codeRowBytes
  for (let left = quarterRows; left; --left) {
    for (let byte: usize = 0; byte < codeRowBytes; byte += 4) {
      const at = byte << 4
      pairs16(valuesPtr + at, valueStride, 4, thresholdsPtr + at, valueRowBytes, codesPtr + byte, codeStride)
    }
    valuesPtr += valueRowBytes
    codesPtr += codeRowBytes
  }
  valuesPtr += 3 * valueStride
  codesPtr += 3 * codeStride
  const rest = <i32>(rowCount & 3)
  for (let byte: usize = 0; byte < codeRowBytes; byte += 4) {
    const at = byte << 4
    pairs16(valuesPtr + at, valueRowBytes, rest, thresholdsPtr + at, valueRowBytes, codesPtr + byte, codeRowBytes)
  }
}

export function levels4(
  valuesPtr: usize,
  valueRowBytes: usize,
  rowCount: usize,
  startsPtr: usize,
  stepsPtr: usize,
  codesPtr: usize,
  codeRowBytes: usize,
): void {
  assert(codeRowBytes % 8 === 0, 'codeRowBytes must be a multiple of 8')
  assert(valueRowBytes >= codeRowBytes << 3, 'valueRowBytes must be at least 8 codeRowBytes')
  const quarterRows = rowCount >> 2
  const valueStride = quarterRows * valueRowBytes
  const codeStride = quarterRows * codeRowBytes
  for (let left = quarterRows; left; --left) {
    for (let byte: usize = 0; byte < codeRowBytes; byte += 8) {
      const at = byte << 3
      nibbles16(valuesPtr + at, valueStride, 4, startsPtr + at, stepsPtr + at, codesPtr + byte, codeStride)
    }
    valuesPtr += valueRowBytes
    codesPtr += codeRowBytes
  }
  valuesPtr += 3 * valueStride
  codesPtr += 3 * codeStride
  const rest = <i32>(rowCount & 3)
  for (let byte: usize = 0; byte < codeRowBytes; byte += 8) {
    const at = byte << 3
    nibbles16(valuesPtr + at, valueRowBytes, rest, startsPtr + at, stepsPtr + at, codesPtr + byte, codeRowBytes)
  }
}

/** 2-bit codes of sixteen dimensions of `streams` rows that stand `valueStride` and `codeStride` bytes apart. */
function pairs16(
  valuesPtr: usize,
  valueStride: usize,
  streams: i32,
  t0: usize,
  thresholdStride: usize,
  codesPtr: usize,
  codeStride: usize,
): void {
  const t1 = t0 + thresholdStride
  const t2 = t1 + thresholdStride
  for (; streams; --streams) {
    const low = i16x8.narrow_i32x4_s(
      passed(v128.load(valuesPtr), v128.load(t0), v128.load(t1), v128.load(t2)),
      passed(v128.load(valuesPtr, 16), v128.load(t0, 16), v128.load(t1, 16), v128.load(t2, 16)),
    )
    const high = i16x8.narrow_i32x4_s(
      passed(v128.load(valuesPtr, 32), v128.load(t0, 32), v128.load(t1, 32), v128.load(t2, 32)),
      passed(v128.load(valuesPtr, 48), v128.load(t0, 48), v128.load(t1, 48), v128.load(t2, 48)),
    )
    // The weights of a byte's four codes, negative as the codes are: dot_i16x8 adds neighbours, the pairwise addition the
    // rest, so that each int32 lane holds a whole byte, at most 3 · 85 = 255.
    const weights = i16x8(-64, -16, -4, -1, -64, -16, -4, -1)
    const halves = i16x8.narrow_i32x4_s(i32x4.dot_i16x8_s(low, weights), i32x4.dot_i16x8_s(high, weights))
    const bytes = i32x4.extadd_pairwise_i16x8_s(halves)
    const words = i16x8.narrow_i32x4_s(bytes, bytes)
    v128.store32_lane(codesPtr, i8x16.narrow_i16x8_u(words, words), 0)
    valuesPtr += valueStride
    codesPtr += codeStride
  }
}

/** Minus the number of thresholds below each value: a comparison that holds is -1. */
function passed(values: v128, t0: v128, t1: v128, t2: v128): v128 {
  return i32x4.add(i32x4.add(f32x4.gt(values, t0), f32x4.gt(values, t1)), f32x4.gt(values, t2))
}

/** 4-bit codes of sixteen dimensions of `streams` rows. */
function nibbles16(
  valuesPtr: usize,
  valueStride: usize,
  streams: i32,
  startsPtr: usize,
  stepsPtr: usize,
  codesPtr: usize,
  codeStride: usize,
): void {
  for (; streams; --streams) {
    const codes = i8x16.narrow_i16x8_u(
      i16x8.narrow_i32x4_s(
        nearest(v128.load(valuesPtr), v128.load(startsPtr), v128.load(stepsPtr)),
        nearest(v128.load(valuesPtr, 16), v128.load(startsPtr, 16), v128.load(stepsPtr, 16)),
      ),
      i16x8.narrow_i32x4_s(
        nearest(v128.load(valuesPtr, 32), v128.load(startsPtr, 32), v128.load(stepsPtr, 32)),
        nearest(v128.load(valuesPtr, 48), v128.load(startsPtr, 48), v128.load(stepsPtr, 48)),
      ),
    )
    // Two codes of 4 bits in each 16: the first, in the lower byte, moves up a nibble, the second comes down to it. What
    // the first leaves in the upper byte is masked, so that the narrowing does not saturate.
    const joined = v128.or(i16x8.shl(codes, 4), i16x8.shr_u(codes, 8))
    const bytes = v128.and(joined, i16x8.splat(0xff))
    v128.store64_lane(codesPtr, i8x16.narrow_i16x8_u(bytes, bytes), 0)
    valuesPtr += valueStride
    codesPtr += codeStride
  }
}

/**
 * Nearest of the levels 0 to 15. Clamped first, which changes no code, then 2^23 is added: float32 has no fractions there,
 * so the addition itself rounds, ties to even, and the level stands in the low bits. The value is the second operand, so
 * that NaN (infinity / infinity) gives the bound.
 */
function nearest(values: v128, starts: v128, steps: v128): v128 {
  const position = f32x4.div(f32x4.sub(values, starts), steps)
  const clamped = f32x4.pmin(f32x4.splat(15), f32x4.pmax(f32x4.splat(0), position))
  return v128.and(f32x4.add(clamped, f32x4.splat(8388608)), i32x4.splat(15))
}
